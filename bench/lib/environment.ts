// First of all imports: where n8n's modules come from, then what they read when they are loaded.
import './modules';
import '../../tools/environment';
