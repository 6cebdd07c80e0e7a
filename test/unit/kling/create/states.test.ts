import { failureWithoutResponse, type FailureKind } from '../../../../nodes/kling/failure';
import { next, type StepOutcome } from '../../../../nodes/kling/create/states';

/** The states of one create, row by row as docs/architecture.md draws them. */

const failureOf = (kind: FailureKind) => failureWithoutResponse(kind);
const sent = (kind: FailureKind): StepOutcome => ({
	step: 'send',
	failure: failureOf(kind),
});
const missed = (kind: FailureKind): StepOutcome => ({
	step: 'lookUp',
	failure: failureOf(kind),
});
const earlier: StepOutcome = { step: 'earlier', failure: failureOf('noResponse') };
const accepted: StepOutcome = { step: 'send', failure: null };
const notSent: StepOutcome = { step: 'stopped' };
const seen: StepOutcome = { step: 'lookUp', failure: null };
const lost = sent('noResponse');
const absent = missed('notFound');

const lookUp = { do: 'lookUp', isKnown: false };
const lookUpKnown = { do: 'lookUp', isKnown: true };
const giveUp = (kind: FailureKind, why: FailureKind | null = null) => ({
	do: 'giveUp',
	failure: failureOf(kind),
	lookUp: why && failureOf(why),
});

test.each([
	['accepted', [], accepted, 'lookup', { do: 'take', isOwn: true }],
	['never sent', [], notSent, 'lookup', { do: 'drop' }],
	['refused', [], sent('badRequest'), 'lookup', { do: 'refuse', failure: failureOf('badRequest') }],
	[
		'still too many',
		[],
		sent('tooManyRequests'),
		'none',
		{ do: 'refuse', failure: failureOf('tooManyRequests') },
	],
	['a lost answer', [], lost, 'lookup', lookUp],
	['a lost answer, unverified look-up', [], lost, 'unverified', lookUp],
	['a lost answer, no look-up', [], lost, 'none', giveUp('noResponse')],
	['cancelled', [], sent('cancelled'), 'lookup', giveUp('cancelled')],
	['the id exists', [], sent('duplicateExternalId'), 'lookup', lookUpKnown],
	[
		'the id exists and its task is found',
		[sent('duplicateExternalId')],
		seen,
		'lookup',
		{ do: 'take', isOwn: false },
	],
	[
		'the id exists after a lost answer, found',
		[lost, absent, sent('duplicateExternalId')],
		seen,
		'lookup',
		{ do: 'take', isOwn: true },
	],
	[
		'the id exists, but its task is not found',
		[sent('duplicateExternalId')],
		absent,
		'lookup',
		giveUp('duplicateExternalId'),
	],
	['lost and found', [lost], seen, 'unverified', { do: 'take', isOwn: true }],
	['lost and surely absent', [lost], absent, 'lookup', { do: 'send' }],
	['lost and absent where that proves nothing', [lost], absent, 'unverified', giveUp('noResponse')],
	[
		'lost, and the look-up is down',
		[lost],
		missed('providerDown'),
		'lookup',
		giveUp('noResponse', 'providerDown'),
	],
	['lost and absent twice', [lost, absent, lost], absent, 'lookup', { do: 'send' }],
	[
		'lost and absent three times',
		[lost, absent, lost, absent, lost],
		absent,
		'lookup',
		giveUp('noResponse'),
	],
	['stopped after a lost answer', [lost, absent], notSent, 'lookup', giveUp('noResponse')],
	['refused after a lost answer', [lost, absent], sent('accountEmpty'), 'lookup', lookUp],
	[
		'refused after a lost answer, and absent',
		[lost, absent, sent('accountEmpty')],
		absent,
		'lookup',
		giveUp('accountEmpty'),
	],
	[
		'refused after a lost answer, and found',
		[lost, absent, sent('accountEmpty')],
		seen,
		'lookup',
		{ do: 'take', isOwn: true },
	],
	['sent by an earlier try', [], earlier, 'lookup', lookUp],
	['sent by an earlier try, no look-up', [], earlier, 'none', giveUp('noResponse')],
	['sent by an earlier try, and absent', [earlier], absent, 'lookup', { do: 'send' }],
	['stopped after an earlier try', [earlier, absent], notSent, 'lookup', giveUp('noResponse')],
] as const)('%s', (_name, history, outcome, support, step) => {
	expect(next(history, outcome, support)).toEqual(step);
});

/** Every state that can be reached, whatever happens, for every kind of failure. */
test.each(['lookup', 'unverified', 'none'] as const)(
	'nothing is sent again while a request may have been accepted: %s',
	(support) => {
		const kinds: FailureKind[] = [
			'noResponse',
			'badRequest',
			'duplicateExternalId',
			'notFound',
			'cancelled',
			'providerDown',
		];
		let states = 0;
		const walk = (history: StepOutcome[], sends: number): void => {
			states++;
			const step =
				history.length === 0
					? { do: 'send' }
					: next(history.slice(0, -1), history[history.length - 1], support);
			if (step.do === 'send') {
				expect(sends).toBeLessThan(3);
				const isUnclear = history.some(({ step: one }) => one !== 'lookUp');
				// Only what the provider has shown not to be there is sent again.
				if (isUnclear) expect([support, history.at(-1)]).toEqual(['lookup', absent]);
				for (const kind of kinds) walk([...history, sent(kind)], sends + 1);
			}
			if (step.do === 'lookUp') for (const kind of kinds) walk([...history, missed(kind)], sends);
			if (step.do === 'refuse')
				expect(history.every((one) => one.step !== 'send' || one === history.at(-1))).toBe(true);
		};
		walk([], 0);
		expect(states).toBeGreaterThan(6);
	},
);
