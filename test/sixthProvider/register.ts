import { providers } from '../../nodes/kling/providers';
import { providers as sandboxProviders } from '../../sandbox/providers';
import { acme } from './adapter';
import { acmeInSandbox } from './sandboxProvider';

/** The two registry lines. Descriptions are built on import, so this must come first. */
providers.push(acme);
sandboxProviders.push(acmeInSandbox);
