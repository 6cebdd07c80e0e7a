import { describeFailedTask } from '../../../nodes/kling/failedTask';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { readAccount } from '../../../nodes/kling/account';
import {
	failureWithoutResponse,
	behaviours,
	type Failure,
	type FailureKind,
} from '../../../nodes/kling/failure';
import { readFilters } from '../../../nodes/KlingEffects/getMany';
import { attempt } from '../../fixtures/attempt';
import {
	describeFailure,
	describeUnknownOutcome,
	factsOf,
	type Message,
} from '../../../nodes/kling/messages';
import { providers } from '../../../nodes/kling/providers';
import { kling } from '../../../nodes/kling/providers/kling';
import { klingCodes } from '../../../nodes/kling/providers/kling';
import { recordOf, type Task } from '../../../nodes/kling/task';
import { checkedOrder } from '../../fixtures/order';

/** n8n's guide to texts: say what happened and what to do, without alarm, blame or apology. */
const unwanted: Array<[what: string, pattern: RegExp]> = [
	['“error”, other than the name of n8n’s setting', /\b(?<!On )[Ee]rrors?\b/],
	['“failed to”', /failed to/i],
	['“invalid”', /invalid/i],
	['“please”', /please/i],
	['“sorry” or “oops”', /sorry|oops/i],
	['an exclamation mark', /!/],
	['an abbreviation of Latin', /\b(i\.e|etc)\b/i],
];

function checkTone(text: string): string[] {
	return unwanted.filter(([, pattern]) => pattern.test(text)).map(([what]) => `${what}: ${text}`);
}

const failure = (kind: FailureKind, more: Partial<Failure> = {}): Failure => ({
	...failureWithoutResponse(kind),
	...more,
});

const kinds = Object.keys(behaviours) as FailureKind[];
const bodies = ['json', 'html', 'empty', 'text', 'none'] as const;

function failureMessages(): Message[] {
	return providers.flatMap((provider) =>
		kinds.flatMap((kind) => [
			...bodies.map((body) => describeFailure(failure(kind, { body }), { provider })),
			...Object.keys(klingCodes).map((code) =>
				describeFailure(failure(kind, { code, httpStatus: 400, requestId: 'r' }), {
					provider,
					itemIndex: 0,
				}),
			),
		]),
	);
}

function otherMessages(): Message[] {
	const { task } = recordOf('kling', { taskId: '1', effectScene: 'hug_pro' });
	const unknown = { effectScene: 'hug_pro', itemIndex: 3 };
	const problemOf = (checked: { ok: boolean }) =>
		'problem' in checked ? [checked.problem as Message] : [];
	return [
		...providers.flatMap((provider) => [
			describeFailedTask(task, { provider }),
			describeUnknownOutcome(failure('noResponse'), {
				...unknown,
				provider,
				externalTaskId: 'a',
				lookUp: null,
			}),
			describeUnknownOutcome(failure('noResponse'), {
				...unknown,
				provider,
				externalTaskId: null,
				lookUp: null,
			}),
			...['callbackUrl', 'duration', 'externalTaskId', 'mode', 'modelName'].flatMap((name) =>
				problemOf(checkedOrder({ effectScene: 'a', [name]: 'x'.repeat(200) }, provider)),
			),
		]),
		...[{}, { effectScene: [] }, { effectScene: 'a', mode: [] }].flatMap((given) =>
			problemOf(checkedOrder(given, kling)),
		),
		...[
			{},
			{ provider: 'acme' },
			{ authentication: 'accessKey' },
			{ apiKey: 'k', baseUrl: 'x' },
			...providers.map(({ name }) => ({ provider: name })),
		].flatMap((data) => problemOf(attempt(() => readAccount(data)))),
		...['status', 'createdAfter', 'createdBefore', 'externalTaskIdPrefix'].flatMap((name) =>
			problemOf(attempt(() => readFilters({ [name]: {} }, 'UTC'))),
		),
		...problemOf(attempt(() => readFilters('text', 'UTC'))),
	];
}

const messages = [...failureMessages(), ...otherMessages()];

test('every message says what happened without alarm, and what to do about it', () => {
	expect(messages.length).toBeGreaterThan(1000);
	const bad = messages.flatMap(({ message, description }) => [
		...checkTone(message),
		...checkTone(description),
		...(/[.\s]$/.test(message) ? [`ends with a full stop: ${message}`] : []),
		...(/^[A-Z]/.test(message) ? [] : [`begins small: ${message}`]),
		...(/[.)]$/.test(description) ? [] : [`advice is no sentence: ${description}`]),
		...(description.length > 20 || /^Use at most/.test(description)
			? []
			: [`no advice: ${message}`]),
		...(/undefined|null|NaN|\[object/.test(message + description) ? [`a hole: ${message}`] : []),
	]);
	expect([...new Set(bad)]).toEqual([]);
});

test('a message about one provider names it, and no other', () => {
	const names = providers.map(({ displayName }) => displayName);
	for (const provider of providers) {
		for (const kind of kinds) {
			const { message } = describeFailure(failure(kind, { body: 'html' }), { provider });
			const named = names.filter((name) => message.includes(name));
			// A missing file, or the user's own limit, concerns no provider.
			expect(named).toEqual(['imageGone', 'maxTasks'].includes(kind) ? [] : [provider.displayName]);
		}
	}
});

test.each(Object.keys(klingCodes))('what to do about code %s speaks of Kling AI', (code) => {
	const told = describeFailure(failure(klingCodes[Number(code)], { code }), { provider: kling });
	expect(told.description).toContain(`code ${code}`);
	expect(told.description).toMatch(/provider Kling AI/);
});

test('the facts for support come at the end, and only those that are known', () => {
	const known = failure('badRequest', {
		code: '1201',
		httpStatus: 400,
		requestId: 'r-1',
		providerMessage: 'no',
	});
	expect(factsOf(known, { provider: kling, itemIndex: 0, taskId: '77' })).toBe(
		'item 0, provider Kling AI, task 77, code 1201, HTTP 400, request id r-1, the provider says “no”',
	);
	expect(factsOf(null, { provider: kling })).toBe('provider Kling AI');
});

test('the provider’s message appears once, for every outcome of the request', () => {
	const sentence = 'effect_scene value is invalid';
	const told = (kind: FailureKind) =>
		failure(kind, { body: 'json', code: '1201', providerMessage: sentence });
	const unreadable = { ...told('unreadable'), excerpt: `{"message":"${sentence}"}` };
	const unknown = { provider: kling, externalTaskId: 'a', effectScene: 'hug_pro' };
	const all = [
		...kinds.map((kind) => describeFailure(told(kind), { provider: kling })),
		...[...kinds.map(told), unreadable].map((lookUp) =>
			describeUnknownOutcome(told('providerDown'), { ...unknown, lookUp }),
		),
		describeFailure(unreadable, { provider: kling }),
	];
	const times = all.map(
		({ message, description }) => `${message} ${description}`.split(sentence).length - 1,
	);
	expect(new Set(times)).toEqual(new Set([1]));
});

test('an unknown outcome says that nothing is paid twice, and which id to look for', () => {
	const { message, description } = describeUnknownOutcome(failure('noResponse'), {
		provider: kling,
		externalTaskId: 'n8n-1',
		effectScene: 'hug_pro',
		itemIndex: 2,
		lookUp: null,
	});
	expect(message).toBe('Kling AI may have created the task, but its response did not arrive');
	expect(description).toMatch(
		/[Yy]ou will not pay twice.*“hug_pro”.*n8n-1.*Kling AI console.*item 2/,
	);
});

test('after a crash, the message says to look for tasks from the time of that execution', () => {
	const about = { provider: kling, externalTaskId: null, effectScene: 'hug_pro', lookUp: null };
	const { message, description } = describeUnknownOutcome(failure('noResponse'), {
		...about,
		hasDied: true,
	});
	expect(message).toMatch(/, but the execution crashed before its response was stored$/);
	expect(description).toMatch(/“hug_pro” may have been sent.*while that execution ran/);
});

test('a failed task with a user’s id is found again until another id is given', () => {
	const task = (externalTaskId: string) =>
		describeFailedTask(recordOf('kling', { taskId: '77', status: 'failed', externalTaskId }).task, {
			provider: kling,
		}).description;
	expect(task('order-4711')).toContain(
		'External task ID “order-4711” is tied to this task: enter another one for a new task.',
	);
	expect(task('n8n-0123456789012345')).toContain('A retry of this execution finds this task again');
	expect(task('n8n-0123')).toContain('External task ID “n8n-0123” is tied to this task');
});

/** Every text in the package that reads like a sentence. */
function textsOf(folder: string): string[] {
	return readdirSync(folder, { withFileTypes: true, recursive: true })
		.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
		.flatMap((entry) => textsOfFile(join(entry.parentPath, entry.name)));
}

function textsOfFile(path: string): string[] {
	const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022);
	const texts: string[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isStringLiteralLike(node)) texts.push(node.text);
		if (ts.isTemplateExpression(node)) {
			texts.push(
				[node.head, ...node.templateSpans.map(({ literal }) => literal)]
					.map(({ text }) => text)
					.join('…'),
			);
		}
		// Programming errors are for programmers.
		const isRangeError =
			ts.isNewExpression(node) && node.getText(source).startsWith('new RangeError');
		if (!isRangeError) ts.forEachChild(node, visit);
	};
	visit(source);
	return texts.filter((text) => /\w \w/.test(text) && !/^=|=>|\{\{/.test(text));
}

test.each(['nodes', 'credentials'])('no text in %s raises alarm', (folder) => {
	const texts = textsOf(join(__dirname, '../../..', folder));
	expect(texts.length).toBeGreaterThan(10);
	expect(texts.flatMap(checkTone)).toEqual([]);
});

describe('a task that failed', () => {
	const told = (name: string, more: Partial<Task>) => {
		const provider = providers.find((one) => one.name === name)!;
		const known = { taskId: 't-77', effectScene: 'squish', status: 'failed' as const, ...more };
		const { task } = recordOf(name, known);
		return describeFailedTask(task, { provider, itemIndex: 0 });
	};

	test('is reported with its reason and its id, each once', () => {
		const { message, description } = told('kling', { statusMessage: 'Odd reason' });
		expect(message).toBe('Kling AI could not generate “squish”: Odd reason');
		expect(`${message} ${description}`.match(/Odd reason/g)).toHaveLength(1);
		expect(`${message} ${description}`.match(/t-77/g)).toHaveLength(1);
		expect(description).toContain(
			'Change the image or the effect scene and run the workflow again.',
		);
	});

	test.each([
		['kling', { unitsDeducted: 2.5 }, 'Kling AI charged 2.5 units for it.'],
		['kling', { unitsDeducted: 0 }, 'Kling AI charged 0 units for it.'],
		['modellix', {}, 'Modellix does not document whether it charges for failed tasks'],
	])('of %s with %j: %s', (name, more, said) => {
		expect(told(name, more).description).toContain(said);
	});

	test.each([
		['parallel task over resource pack limit', /All slots were in use: run the workflow again/],
		['Image pixel is invalid', /at least 300 pixels per side/],
		[
			'The resolution or aspect ratio of the input image is invalid. Please…',
			/300 pixels per side/,
		],
		['Failed to download the image', /direct link.*opens without signing in.*Binary File/],
		['Failure to pass the risk control system', /Use another image/],
		['Content policy violation', /Use another image/],
		['CONTENT_MODERATION', /Use another image/],
		['UPSTREAM_BUSY', /run the workflow again later, with the same image/],
	])('with “%s” says what to do about it, for every provider', (reason, advice) => {
		for (const { name } of providers) {
			expect(told(name, { statusMessage: reason }).description).toMatch(advice);
			const passedOn = `Kling task failed: ${reason}`;
			expect(told(name, { statusMessage: passedOn }).description).toMatch(advice);
		}
	});

	test('has no advice for a reason that is only quoted', () => {
		const statusMessage = 'Prompt “the resolution or aspect ratio of the input image” is too long';
		expect(told('kling', { statusMessage }).description).not.toMatch(/at least 300 pixels/);
	});
});

test('the provider’s message is in a message only once', () => {
	for (const kind of kinds) {
		const { message, description } = describeFailure(
			failure(kind, { providerMessage: 'No such thing' }),
			{
				provider: kling,
			},
		);
		expect(`${message} ${description}`.match(/No such thing/g)).toHaveLength(1);
	}
});

test('every rule about failures is a column of the one table', () => {
	for (const kind of kinds) {
		const { create, fatal, passing, concerns } = behaviours[kind];
		// What definitely created no task and may be accepted later is worth another try, and does not end
		// a run.
		if (create === 'later' || create === 'whenFree')
			expect({ fatal, passing }).toEqual({ fatal: false, passing: true });
		// What ends a run is about the account, not about one task.
		if (fatal) expect(concerns).toBe('all');
	}
});
