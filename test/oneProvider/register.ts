import { providers } from '../../nodes/kling/providers';
import { kling } from '../../nodes/kling/providers/kling';

/** The one line of the registry. Descriptions are made when they are imported, so this comes before them. */
providers.splice(0, providers.length, kling);
