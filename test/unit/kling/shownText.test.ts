import { kling } from '../../../nodes/kling/providers/kling';
import { asHtml, plainText, shownText } from '../../../nodes/kling/http';
import { recordOf } from '../../../nodes/kling/task';

const tag = '<img src=x onerror="alert(1)">';

test('a tag in a provider’s text never reaches the page as one', () => {
	expect(shownText(`No face ${tag}`)).toBe('No face ‹img src=x onerror="alert(1)"›');
});

test.each([
	['colours', '\u001b[1;31mbad\u001b[0m key', 'bad key'],
	['a link of a terminal', '\u001b]8;;https://evil.example\u0007here\u001b]8;;\u0007', 'here'],
	['a cleared screen', '\u009b2Jgone', 'gone'],
	['control characters', 'a\u0000b\u0008c\u007fd', 'abcd'],
	['a direction that turns', 'photo\u202egpj.exe', 'photogpj.exe'],
	['an isolate', '\u2066a\u2069', 'a'],
	['zero width', 'a\u200bb\ufeffc', 'abc'],
	['line ends', 'a\r\nb\u2028c', 'a b c'],
	['tags', '<img src=x onerror=alert(1)>', '‹img src=x onerror=alert(1)›'],
	[
		'letters of all kinds',
		'Größe 写真 \u{1f468}\u200d\u{1f469}',
		'Größe 写真 \u{1f468}\u200d\u{1f469}',
	],
])('what is shown has no %s', (_name, text, shown) => {
	expect(plainText(text)).toBe(shown);
	expect(shownText(text)).toBe(shown);
});

test('an address is shown as is, even if HTML would see an entity in it', () => {
	expect(asHtml('https://a.example/?a=1&copy=2&x=3')).toBe('https://a.example/?a=1&amp;copy=2&x=3');
	expect(asHtml('&lt;b&gt; &#60;')).toBe('&amp;lt;b&amp;gt; &amp;#60;');
	expect(asHtml('Q & A')).toBe('Q & A');
});

test('a provider’s text is shown in one line of at most 300 characters', () => {
	expect(shownText('no face\n in\tthe picture')).toBe('no face in the picture');
	expect(shownText('no face '.repeat(1_000))).toHaveLength(301);
	expect(shownText(' \n ')).toBeNull();
	expect(shownText({ a: 1 })).toBeNull();
});

test('the reason for a failed task has no tags and a limited length, for any text of the provider', () => {
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

test('no reason stays no reason', () => {
	expect(recordOf('kling', { taskId: '1', statusMessage: null }).task.statusMessage).toBeNull();
});
