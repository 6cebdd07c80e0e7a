import { kling } from '../../../nodes/kling/providers/kling';
import { shownText } from '../../../nodes/kling/shownText';
import { recordOf } from '../../../nodes/kling/task';

const tag = '<img src=x onerror="alert(1)">';

test('a tag in a provider’s text never reaches the page as one', () => {
	expect(shownText(`No face ${tag}`)).toBe('No face ‹img src=x onerror="alert(1)"›');
});

test('a provider’s text is shown in one line of 300 characters at most', () => {
	expect(shownText('no face\n in\tthe picture')).toBe('no face in the picture');
	expect(shownText('no face '.repeat(1_000))).toHaveLength(301);
	expect(shownText(' \n ')).toBeNull();
	expect(shownText({ a: 1 })).toBeNull();
});

test('the reason of a failed task has no tag and an end, whatever the provider says', () => {
	const data = {
		task_id: '876543210987654321',
		task_status: 'failed',
		task_status_msg: `${tag} ${'no face '.repeat(1_000)}`,
	};
	const json = { code: 0, data };
	const response = { kind: 'response', status: 200, headers: {}, text: '', at: 0, json } as const;
	const message = kling.readTask(response)?.task.statusMessage;
	expect(message).toMatch(/^‹img src=x onerror="alert\(1\)"› no face/);
	expect(message).toHaveLength(301);
});

test('a reason that is none stays none', () => {
	expect(recordOf('kling', { taskId: '1', statusMessage: null }).task.statusMessage).toBeNull();
});
