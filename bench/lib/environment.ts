// The first imports: where n8n's modules come from, then what they read on load.
import './modules';
import '../../tools/environment';
