import { providers } from '../../nodes/kling/providers';
import { kling } from '../../nodes/kling/providers/kling';

/** The one line of the registry. Descriptions are built on import, so this must come first. */
providers.splice(0, providers.length, kling);
