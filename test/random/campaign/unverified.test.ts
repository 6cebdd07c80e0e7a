import { campaignTest } from './campaign';

describe('never pays twice, never loses a task, where a look-up proves nothing', () => {
	campaignTest('CometAPI', { provider: 'cometApi', isExact: false, mayDie: false });
	campaignTest('KKIAI', { provider: 'kkiai', isExact: false, mayDie: false, share: 0.2 });
});
