import { kling } from '../../../../nodes/kling/providers/kling';

describe('A page of the list', () => {
	const good = { task_id: '1', task_status: 'succeed' };
	const read = (data: unknown[]) => {
		const json = { code: 0, data };
		const text = JSON.stringify(json);
		return kling.list?.read({ kind: 'response', status: 200, headers: {}, text, at: 0, json });
	};

	test('is read without the rows that cannot be, which it counts', () => {
		const page = read([good, { task_status: 'succeed' }, null, 'row', { ...good, task_id: '2' }]);
		expect(page?.rows).toBe(5);
		expect(page?.records.map(({ task }) => task.taskId)).toEqual(['1', '2']);
	});

	test.each([null, undefined, '', 7])('shows a task as running whose status is %j', (status) => {
		const page = read([{ ...good, task_status: status }]);
		expect(page?.records.map(({ task }) => task.status)).toEqual(['processing']);
	});

	test('cannot be read where none of its rows can', () => {
		expect(read([null, { id: '1' }])).toBeNull();
	});
});
