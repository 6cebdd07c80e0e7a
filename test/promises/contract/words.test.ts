import { readFileSync } from 'node:fs';
import { byExternalId, byId, fileItem, single, Workbench } from '../../harness/workbench';
import { rows } from './providers';

/** Words, numbers and names as people, sheets and forms write them. */

const bench = Workbench.prepare();
const [kling] = rows;

test.each(['TRUE', 'True', ' true ', 'true', 1, '1', true])(
	'%j turns a parameter on',
	async (given) => {
		const parameters = { waitForCompletion: `={{ ${JSON.stringify(given)} }}` };
		const { json, error } = await bench.create(kling, parameters);
		expect(error).toBeUndefined();
		expect(json[0].status).toBe('succeed');
	},
);

test.each(['FALSE', ' False', 0, '0', false])('%j turns a parameter off', async (given) => {
	const parameters = { waitForCompletion: `={{ ${JSON.stringify(given)} }}` };
	const { json } = await bench.create(kling, parameters);
	expect(json[0].status).toBe('submitted');
});

test.each(['perhaps', 'ja', 2, [], {}])('%j is neither, and the message says so', async (given) => {
	const parameters = { waitForCompletion: `={{ ${JSON.stringify(given)} }}` };
	const { error } = await bench.create(kling, parameters);
	expect(error?.message).toBe('Wait for Completion must be true or false');
	expect(bench.sandbox.requests).toEqual([]);
});

test.each([
	['timeout', '30 min', 'Timeout (Minutes) must be a number from 0 to 10080'],
	['timeout', '1,5', 'Timeout (Minutes) must be a number from 0 to 10080'],
	['timeout', -1, 'Timeout (Minutes) must be a number from 0 to 10080'],
	['timeout', 10_081, 'Timeout (Minutes) must be a number from 0 to 10080'],
	['timeout', 9e15, 'Timeout (Minutes) must be a number from 0 to 10080'],
	['timeout', 'Infinity', 'Timeout (Minutes) must be a number from 0 to 10080'],
	['timeout', true, 'Timeout (Minutes) must be a number from 0 to 10080'],
	['pollInterval', '10s', 'Poll Interval (Seconds) must be a number of at least 0'],
	['concurrency', 'many', 'Concurrency must be a number of at least 0'],
])('%s of %j is reported, and nothing is sent', async (name, value, message) => {
	const { error } = await bench.create(kling, {
		waitForCompletion: true,
		options: { [name]: value },
	});
	expect(error?.message).toBe(message);
	expect(error?.description).toMatch(/\.$/);
	expect(bench.sandbox.requests).toEqual([]);
});

test.each([['0.5'], [' 30 '], [''], [null], [10_080]])(
	'a Timeout of %j is one',
	async (timeout) => {
		const parameters = { waitForCompletion: true, options: { timeout } };
		const { error } = await bench.create(kling, parameters);
		expect(error).toBeUndefined();
	},
);

describe('a task ID', () => {
	test.each([Number('842163450012345678'), 2 ** 53, '8.76E+17', '8,76e+17'])(
		'that came as %s has lost digits, and the message says what to do',
		async (taskId) => {
			for (const locator of [byId(taskId), byExternalId(String(taskId)), taskId]) {
				const given = { operation: 'get', taskId: locator };
				if (typeof taskId === 'number' && locator !== taskId && 'mode' in Object(locator)) {
					if (Object(locator).mode === 'externalId') continue;
				}
				const { error } = await bench.run(kling, given);
				expect(error?.message).toMatch(/^Task ID has lost digits/);
				expect(error?.description).toMatch(/as text/);
			}
			expect(bench.sandbox.requests).toEqual([]);
		},
	);

	test.each([[['1', '2']], [{ taskId: '1' }], [true]])(
		'that is %j is called not text, rather than empty',
		async (taskId) => {
			const parameters = { operation: 'get', taskId: `={{ ${JSON.stringify(taskId)} }}` };
			const { error } = await bench.run(kling, parameters);
			expect(error?.message).toBe('Task ID must be text');
		},
	);

	test('of your own that a sheet has rounded is reported before you pay', async () => {
		const options = { externalTaskId: Number('842163450012345678') };
		const { error } = await bench.create(kling, { options });
		expect(error?.message).toMatch(/^External Task ID has lost digits/);
		expect(bench.sandbox.requests).toEqual([]);
	});
});

test('a time as n8n’s date picker stores it is in the workflow’s time zone', async () => {
	const parameters = JSON.parse(readFileSync('test/fixtures/created-after-picker.json', 'utf8'));
	const moment = (zone: string) =>
		Date.parse(`${parameters.filters.createdAfter}Z`) -
		(zone === 'Asia/Tokyo' ? 9 : -5) * 3_600_000;
	for (const timezone of ['Asia/Tokyo', 'America/New_York']) {
		bench.sandbox.reset();
		for (const offset of [-60_000, 60_000]) {
			bench.sandbox.options.now = () => moment(timezone) + offset;
			await bench.create(kling, {}, { executionId: `${timezone}${offset}` });
		}
		const { json } = await bench.run(kling, parameters, { timezone });
		expect(json).toHaveLength(1);
	}
});

describe('a field of a form', () => {
	test('with a blank at the end of its name is found, with and without it', async () => {
		const item = await fileItem({ 'Photo ': 'portrait.jpg' });
		for (const imageField of ['Photo ', 'Photo', ' Photo']) {
			const parameters = { ...single, imageInput: 'binary', imageField };
			const { error } = await bench.create(kling, parameters, { items: [item] });
			expect(error).toBeUndefined();
		}
	});

	test.each(['={{ $binary }}', '={{ $binary.Selfie }}'])(
		'is named where %s gives files instead of a name',
		async (imageField) => {
			const item = await fileItem({ Selfie: 'portrait.jpg' });
			const parameters = { ...single, imageInput: 'binary', imageField };
			const { error } = await bench.create(kling, parameters, { items: [item] });
			expect(error?.description).toBe('Enter the field’s name as text: Selfie'.replace('’', "'"));
		},
	);
});

describe('Additional Fields from an expression', () => {
	const thrown = '={{ { seed: 7, toJSON: () => [].none.none } }}';
	const replaced =
		'={{ { seed: 7, toJSON: () => ({ seed: 8, image: "https://evil.example/a.jpg" }) } }}';

	test('become plain data before anything is sent: the result is checked', async () => {
		const { error } = await bench.create(kling, { options: { additionalFields: replaced } });
		expect(error?.message).toBe('Additional Fields cannot set image');
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('that throw while turning into JSON are reported, and nothing was sent', async () => {
		const { error } = await bench.create(kling, { options: { additionalFields: thrown } });
		expect(error?.message).toMatch(
			/^Additional Fields is not a JSON object|^Options could not be evaluated/,
		);
		expect(bench.sandbox.requests).toEqual([]);
	});
});
