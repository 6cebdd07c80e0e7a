import fc from 'fast-check';
import type { Behaviour } from './server';

/** Words that adapters look for, so that many responses come close to something real. */
const keys = [
	...['code', 'message', 'msg', 'data', 'error', 'task_id', 'taskId', 'id', 'task_status'],
	...['status', 'state', 'task_result', 'videos', 'url', 'task_info', 'external_task_id'],
	...['result', 'resources', 'resultUrls', 'created_at', 'request_id', 'toString', '__proto__'],
];
export const words = [
	...['0', '200', 'success', 'succeed', 'completed', 'submitted', 'failed', '..', '.', ''],
	...['constructor', '\ud800', 'a/b?c#d', '<script>', 'External_task_id x already exists'],
	'http://127.0.0.1:1/video.mp4',
];
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
	value: fc.oneof(
		{ depthSize: 'small' },
		fc.constantFrom<unknown>(0, 200, 1201, -1, 1e308, 1.5, null, true, false, ...words),
		fc.double({ noNaN: true, noDefaultInfinity: true }),
		fc.string(),
		fc.array(tie('value'), { maxLength: 4 }),
		fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 7 }),
	),
}));

const headers = fc.dictionary(
	fc.constantFrom(
		'retry-after',
		'retry-after-ms',
		'date',
		'x-request-id',
		'content-type',
		'location',
	),
	fc.constantFrom(
		'0',
		'-1',
		'soon',
		'9'.repeat(30),
		'text/html',
		'%',
		'Sat, 31 Feb 2099 25:61:61 GMT',
	),
);

export interface Answer {
	status: number;
	headers: Record<string, string>;
	body: string;
}

export const answer: fc.Arbitrary<Answer> = fc.record({
	status: fc.constantFrom(200, 200, 200, 201, 204, 303, 400, 401, 402, 404, 408, 429, 500, 503),
	headers,
	body: fc.oneof(
		{ weight: 6, arbitrary: value.map((json) => JSON.stringify(json)) },
		{ weight: 1, arbitrary: fc.string() },
	),
});

/** A provider's response to a create and a read that succeed, with something odd in one place. */
export const odd = fc
	.tuple(fc.constantFrom(...words, 1, {}, [], { toString: 1 }), fc.nat(7))
	.map(([strange, place]) => {
		const at = <T>(index: number, usual: T) => (index === place ? strange : usual);
		const task = {
			task_id: at(0, '7'),
			taskId: at(0, '7'),
			task_status: at(1, 'succeed'),
			status: at(1, 'success'),
			state: at(1, 'completed'),
			task_status_msg: at(2, 'fine'),
			task_info: at(3, {}),
			task_result: at(4, { videos: [{ url: at(5, 'http://127.0.0.1:1/v.mp4') }] }),
			created_at: at(6, 1_795_000_000_000),
		};
		const body = JSON.stringify({ code: at(7, 0), message: 'SUCCEED', data: task });
		return { status: 200, headers: {}, body };
	});

/** Responds to one request after the other, and to all further ones like the last. */
export function answerInTurn(answers: readonly Answer[]): Behaviour {
	let index = 0;
	return (_request, response) => {
		const { status, headers: sent, body } = answers[Math.min(index++, answers.length - 1)];
		response.writeHead(status, { 'content-type': 'application/json', ...sent });
		response.end(body);
	};
}
