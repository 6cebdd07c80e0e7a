import { campaignTest } from './campaign';

describe('never pays twice, never loses a task, where nothing can be looked up', () => {
	campaignTest('Modellix', { provider: 'modellix', isExact: false, mayDie: false });
	campaignTest('APIModels', { provider: 'apiModels', isExact: false, mayDie: false, share: 0.2 });
});
