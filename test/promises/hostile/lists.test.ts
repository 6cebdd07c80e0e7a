import { withInstantClock } from '../../harness/setup';
import { runNode } from '../../../tools/engine';
import { HostileServer } from './server';

const hostile = HostileServer.prepare();
withInstantClock();

const listOf = (ids: number[]) =>
	JSON.stringify({
		code: 0,
		message: 'SUCCEED',
		data: ids.map((id) => ({ task_id: String(id), task_status: 'succeed' })),
	});
const returnAll = { operation: 'list', returnAll: true };
const range = (length: number) => Array.from({ length }, (_, index) => index);
const list = async (parameters = {}) =>
	await runNode({
		parameters: { ...returnAll, ...parameters },
		credential: hostile.credential('kling'),
	});

describe('a list', () => {
	test('that repeats the same page forever is asked for two pages', async () => {
		hostile.behaviour = (_request, response) => void response.end(listOf(range(500)));
		const { json, error } = await list();
		expect(error).toBeUndefined();
		expect(json).toHaveLength(500);
		expect(hostile.requests).toHaveLength(2);
	});

	test('that goes round in a circle is asked until it repeats itself', async () => {
		hostile.behaviour = ({ url }, response) => {
			const page = Number(new URL(url ?? '', hostile.url).searchParams.get('pageNum'));
			response.end(listOf(range(500).map((id) => id + (page % 3) * 500)));
		};
		const { json } = await list();
		expect(json).toHaveLength(1500);
		expect(hostile.requests).toHaveLength(4);
	});

	test.each([
		['leaves out every tenth task of a page that it has cut', (id: number) => id % 10 !== 3],
		['leaves out more and more of each page', (id: number) => id % 500 < 480 - id / 50],
		['shows the rest of a page that is nearly empty', (id: number) => id < 500 || id % 500 === 7],
	])('that %s is read to its end', async (_name, isShown) => {
		const all = range(3_000);
		hostile.behaviour = ({ url }, response) => {
			const { searchParams } = new URL(url ?? '', hostile.url);
			const [page, size] = ['pageNum', 'pageSize'].map((name) => Number(searchParams.get(name)));
			response.end(listOf(all.slice((page - 1) * size, page * size).filter(isShown)));
		};
		const { json } = await list();
		expect(json.map(({ taskId }) => Number(taskId)).sort((a, b) => a - b)).toEqual(
			all.filter(isShown),
		);
	});

	test('of 125,000 tasks on one page is returned as is', async () => {
		hostile.behaviour = (_request, response) => void response.end(listOf(range(125_000)));
		const { json, error } = await list();
		expect(error).toBeUndefined();
		expect(json).toHaveLength(125_000);
		// Seconds of work, which take longer beside other tests.
	}, 180_000);
});
