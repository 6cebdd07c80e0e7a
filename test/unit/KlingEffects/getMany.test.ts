import { runInNewContext } from 'node:vm';
import { readFilters } from '../../../nodes/KlingEffects/getMany';
import { matches, recordOf, type TaskFilters } from '../../../nodes/kling/task';

const eight = '2026-11-21T08:00:00.000Z';
const ms = Date.parse(eight);

test('empty filters filter nothing', () => {
	expect(readFilters(undefined, 'UTC')).toEqual({});
	const empty = { status: [], createdAfter: '', createdBefore: null, externalTaskIdPrefix: '' };
	expect(readFilters(empty, 'UTC')).toEqual({});
});

test.each([
	['ISO 8601', eight],
	['ISO 8601 with an offset', '2026-11-21T10:00:00+02:00'],
	['a Date', new Date(ms)],
	['a Date that was made elsewhere', runInNewContext(`new Date(${ms})`)],
	["n8n's DateTime", { toISO: () => eight, toString: () => eight }],
	['milliseconds since 1970', ms],
	['seconds since 1970', ms / 1000],
	['milliseconds as text', String(ms)],
])('a time is read from %s', (_name, createdAfter) => {
	expect(readFilters({ createdAfter }, 'UTC')).toEqual({ createdAfter: ms });
});

test.each([
	['2026-11-28T22:42:01', 'Europe/Berlin', '2026-11-28T21:42:01Z'],
	['2026-11-28T22:42:01', 'America/New_York', '2026-11-29T03:42:01Z'],
	['2026-11-28T22:42:01', 'Asia/Kolkata', '2026-11-28T17:12:01Z'],
	['2026-11-28T22:42:01.5', 'UTC', '2026-11-28T22:42:01.500Z'],
	['2026-07-01T00:00:00', 'Europe/Berlin', '2026-06-30T22:00:00Z'],
	['2026-11-28 22:42', 'Asia/Tokyo', '2026-11-28T13:42:00Z'],
	['2026-11-28', 'Asia/Tokyo', '2026-11-27T15:00:00Z'],
	['Nov 28, 2026 10:42 PM', 'Asia/Tokyo', '2026-11-28T13:42:00Z'],
	// The last hour before the clocks go forward, and the first after.
	['2026-03-29T01:59:59', 'Europe/Berlin', '2026-03-29T00:59:59Z'],
	['2026-03-29T03:00:00', 'Europe/Berlin', '2026-03-29T01:00:00Z'],
	['2026-11-28T22:42:01Z', 'Asia/Tokyo', '2026-11-28T22:42:01Z'],
	['2026-11-28T22:42:01-05:00', 'Asia/Tokyo', '2026-11-29T03:42:01Z'],
	['Sat, 28 Nov 2026 22:42:01 GMT', 'Asia/Tokyo', '2026-11-28T22:42:01Z'],
	// As PostgreSQL writes them.
	['2026-11-28 22:42:01+00', 'Asia/Tokyo', '2026-11-28T22:42:01Z'],
	['2026-11-28 22:42:01.123-05', 'Asia/Tokyo', '2026-11-29T03:42:01.123Z'],
	['2026-11-28T22:42+01', 'Asia/Tokyo', '2026-11-28T21:42:00Z'],
	['2026-11-28T24:00:00', 'UTC', '2026-11-29T00:00:00Z'],
	['28 Nov 2026 10:00', 'UTC', '2026-11-28T10:00:00Z'],
	['11/28/2026', 'UTC', '2026-11-28T00:00:00Z'],
	['11/11/2026', 'UTC', '2026-11-11T00:00:00Z'],
])('%s in a workflow of %s is %s', (createdAfter, zone, moment) => {
	expect(readFilters({ createdAfter }, zone)).toEqual({ createdAfter: Date.parse(moment) });
});

test.each([
	[{ createdAfter: '2026-13-45T00:00:00' }, 'Created After cannot be read'],
	[{ createdAfter: 'soon' }, 'Created After cannot be read'],
	[{ createdBefore: true }, 'Created Before cannot be read'],
	// A day and month that can be swapped, days that no month has.
	[{ createdAfter: '12/11/2026' }, 'Created After cannot be read'],
	[{ createdAfter: '5.6.2026 10:00' }, 'Created After cannot be read'],
	[{ createdAfter: '2026-02-30' }, 'Created After cannot be read'],
	[{ createdAfter: '2026-11-31T10:00:00' }, 'Created After cannot be read'],
	// A year, and the day that a spreadsheet counts.
	[{ createdAfter: '2026' }, 'Created After cannot be read'],
	[{ createdAfter: 46_000 }, 'Created After cannot be read'],
	[{ createdAfter: 20_261_128 }, 'Created After cannot be read'],
	[{ createdAfter: -1 }, 'Created After cannot be read'],
	[{ createdAfter: 'Infinity' }, 'Created After cannot be read'],
	// Microseconds and nanoseconds would be a moment that no task reaches.
	[{ createdAfter: ms * 1e3 }, 'Created After cannot be read'],
	[{ createdBefore: String(ms * 1e6) }, 'Created Before cannot be read'],
	[{ createdAfter: Object.create(null) as unknown }, 'Created After cannot be read'],
	[{ status: ['done'] }, 'Status “done” is not known'],
	[{ status: ['failed', null] }, 'Status must be text'],
	[{ status: { failed: true } }, 'Status must be text'],
	[{ externalTaskIdPrefix: {} }, 'External Task ID Prefix cannot be read'],
	['text', 'Filters cannot be read'],
])('%j is refused by the name on screen', (given, message) => {
	expect(() => readFilters(given, 'UTC')).toThrow(message);
});

const { task } = recordOf('kling', {
	taskId: '1',
	externalTaskId: 'order-1',
	status: 'failed',
	createdAt: eight,
});

test.each([
	[{}, true],
	[{ status: ['failed', 'succeed'] }, true],
	[{ status: ['succeed'] }, false],
	[{ createdAfter: ms }, true],
	[{ createdAfter: ms + 1 }, false],
	[{ createdBefore: ms }, false],
	[{ createdBefore: ms + 1 }, true],
	[{ externalTaskIdPrefix: 'order-' }, true],
	[{ externalTaskIdPrefix: 'Order-' }, false],
	[{ status: ['failed'], externalTaskIdPrefix: 'x' }, false],
] as Array<[TaskFilters, boolean]>)(
	'a task that failed at 08:00 as order-1 passes %j: %s',
	(filters, passes) => expect(matches(task, filters)).toBe(passes),
);

test('a task without a time passes no time filter, and one without an external id no prefix', () => {
	const { task: bare } = recordOf('kling', { taskId: '1' });
	expect(matches(bare, { createdAfter: 1 })).toBe(false);
	expect(matches(bare, { createdBefore: ms })).toBe(false);
	expect(matches(bare, { externalTaskIdPrefix: 'o' })).toBe(false);
});

const read = (createdAfter: string, zone = 'Asia/Tokyo') =>
	readFilters({ createdAfter }, zone).createdAfter;

test.each([
	// As Ruby, Rails, BigQuery, pandas, `date -u` and `git log` write them.
	['2026-11-21 08:00:00 UTC', '2026-11-21T08:00:00Z'],
	['2026-11-21 08:00 UTC', '2026-11-21T08:00:00Z'],
	['2026-11-21 08:00:00 GMT', '2026-11-21T08:00:00Z'],
	['2026-11-21 08:00:00 +0100', '2026-11-21T07:00:00Z'],
	['2026-11-21 08:00:00 +01:00', '2026-11-21T07:00:00Z'],
	['2026-11-21 08:00:00 EST', '2026-11-21T13:00:00Z'],
	['2026-11-21 08:00:00 -05', '2026-11-21T13:00:00Z'],
])('%s is read', (text, moment) => {
	expect(read(text)).toBe(Date.parse(moment));
});

test.each([
	['2026-11-21 08:00 GMT+2', '2026-11-21T06:00:00Z'],
	['2026-11-21 08:00 UTC+2', '2026-11-21T06:00:00Z'],
	['Nov 21, 2026, 8:00 AM GMT-5', '2026-11-21T13:00:00Z'],
])('%s is read with its offset, or refused; the offset is never ignored', (text, moment) => {
	let found: number | undefined;
	try {
		found = read(text);
	} catch {
		return;
	}
	expect(found).toBe(Date.parse(moment));
});

test.each([
	['2/29/2028', '2028-02-29T00:00:00Z'],
	['Feb 29, 2028', '2028-02-29T00:00:00Z'],
	['31 December 2026', '2026-12-31T00:00:00Z'],
	['Thu Dec 31 2026 23:30:00 GMT+0100', '2026-12-31T22:30:00Z'],
	['2026/11/30', '2026-11-30T00:00:00Z'],
])('%s, the last day of a month, is read', (text, moment) => {
	expect(read(text, 'UTC')).toBe(Date.parse(moment));
});

test.each([
	...['Nov 21', 'Sat Nov 28', 'May 5', '2026-02-30T08:00:00Z', '2026-06-31T10:00:00+02:00'],
	...[
		'02/30/2026',
		'2/29/2026 8:00 AM',
		'2026/06/31',
		'Feb 30, 2026',
		'31 November 2026 10:00 GMT+2',
	],
	...['Sun Feb 29 2026 08:00:00 GMT+0100 (CET)', '31.09.2026'],
])('%s, without a year or of a day that no month has, is refused and not guessed', (text) => {
	expect(() => read(text)).toThrow('Created After cannot be read');
});

test('filters of blanks alone filter nothing', () => {
	const blank = { status: '', createdAfter: ' ', createdBefore: '\t\n', externalTaskIdPrefix: ' ' };
	expect(readFilters(blank, 'UTC')).toEqual({});
});

test('a date of the year 9999 stands for no end, as a number too', () => {
	const end = Date.parse('9999-12-31T23:59:59.999Z');
	expect(readFilters({ createdBefore: end }, 'UTC')).toEqual({ createdBefore: end });
	const text = '9999-12-31T23:59:59.999Z';
	expect(readFilters({ createdBefore: text }, 'UTC')).toEqual({ createdBefore: end });
});

test.each(['failed', 'Failed', ['FAILED'], [' failed ']])(
	'Status is read from %j, as an expression gives it',
	(status) => expect(readFilters({ status }, 'UTC')).toEqual({ status: ['failed'] }),
);

test('Status is read by the names on screen, also as text with commas', () => {
	const status = ['failed', 'succeed'];
	expect(readFilters({ status: ['Succeeded', 'Failed'] }, 'UTC')).toEqual({ status });
	expect(readFilters({ status: 'succeed, failed' }, 'UTC')).toEqual({ status });
});

test('a prefix that an expression gives as a number is one', () => {
	expect(readFilters({ externalTaskIdPrefix: 2026 }, 'UTC')).toEqual({
		externalTaskIdPrefix: '2026',
	});
});

test('Get Many: a blank in front of the prefix does not hide all tasks', () => {
	const { task } = recordOf('kling', { taskId: '1', externalTaskId: 'order-1' });
	expect(matches(task, readFilters({ externalTaskIdPrefix: ' order-' }, 'UTC'))).toBe(true);
	expect(matches(task, readFilters({ externalTaskIdPrefix: ' ' }, 'UTC'))).toBe(true);
});
