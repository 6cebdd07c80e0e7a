import { providers } from '../../nodes/kling/providers';
import { providers as sandboxProviders } from '../../sandbox/providers';
import { acme } from './adapter';
import { acmeInSandbox } from './sandboxProvider';

/** The two registry lines. Descriptions are made when they are imported, so this comes before them. */
providers.push(acme);
sandboxProviders.push(acmeInSandbox);
