import { providers } from '../../../../nodes/kling/providers';
import {
	notWith,
	onlyWith,
	onlyWithList,
	titleWithList,
	whoLists,
	withList,
	withSupport,
} from '../../../../nodes/kling/providers/whoCan';

/** What the descriptions of the fields say about providers. */

test('who supports what is said with the providers’ names', () => {
	expect(onlyWithList).toBe('Kling AI only');
	expect(titleWithList('All Tasks')).toBe('All Tasks (Kling AI Only)');
	expect(withList('List tasks.')).toBe('List tasks. Kling AI only.');
	expect(whoLists).toBe('Only Kling AI lists tasks.');
	expect(withSupport('An address', 'callbackUrl')).toBe('An address. Not with Modellix.');
	expect(withSupport('One. Two.', 'externalTaskId')).toBe(
		'One. Two. Not with Modellix or APIModels.',
	);
	expect(withSupport('Seconds', 'duration')).toBe('Seconds');
});

test('several are named one after the other, and all without their names', () => {
	const gateways = ['cometApi', 'kkiai', 'modellix'];
	expect(onlyWith(({ name }) => gateways.includes(name))).toBe('CometAPI, KKIAI and Modellix only');
	expect(notWith(({ name }) => !gateways.includes(name))).toBe(
		'Not with CometAPI, KKIAI or Modellix',
	);
	expect(onlyWith(() => true)).toBe('');
	expect(notWith(() => true)).toBe('');
	expect(providers.length).toBeGreaterThan(4);
});
