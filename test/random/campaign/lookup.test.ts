import { campaignTest } from './campaign';

/** Set CAMPAIGN_SEED and CAMPAIGN_CREATES for another campaign than CI's. */
describe('never pays twice, never loses a task, where tasks can be looked up', () => {
	campaignTest('Kling AI', { provider: 'kling', isExact: true, mayDie: true });
});
