import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
	failureWithoutResponse,
	behaviours,
	type Failure,
	type FailureKind,
} from '../../nodes/kling/failure';
import { describeFailure } from '../../nodes/kling/messages';
import { optionNames } from '../../nodes/kling/create/order';
import { providers } from '../../nodes/kling/providers';
import { scenes } from '../../nodes/kling/scenes';
import { recordOf } from '../../nodes/kling/task';
import { rootFolder } from '../../tools/tarball';

/** Screenshots of the real editor: `npm run screenshots` takes them, and not every clone has them. */
const screenshots = ['create', 'get', 'list', 'trigger', 'credential', 'workflow'];

const guides = [
	'README.md',
	'CONTRIBUTING.md',
	'examples/README.md',
	...readdirSync(join(rootFolder, 'docs'))
		.filter((name) => name.endsWith('.md'))
		.map((name) => `docs/${name}`),
];

function textOf(file: string): string {
	return readFileSync(join(rootFolder, file), 'utf8');
}

function section(title: string): string {
	const [, after = ''] = textOf('README.md').split(`\n## ${title}\n`);
	return after.split('\n## ')[0];
}

/** The messages of docs/messages.md; “…” stands for what varies. */
const quoted = [...textOf('docs/messages.md').matchAll(/^\| `([^`]+)` \|/gm)].map(
	([, text]) => text,
);

const sourceLines = readdirSync(join(rootFolder, 'nodes'), { recursive: true, encoding: 'utf8' })
	.filter((name) => name.endsWith('.ts'))
	.flatMap((name) => textOf(join('nodes', name)).split('\n'));

function isInSources(message: string): boolean {
	const parts = message.split('…').map((part) => part.trim());
	return sourceLines.some((line) => {
		let from = 0;
		return parts.every((part) => {
			const at = line.indexOf(part, from);
			from = at + part.length;
			return at >= 0;
		});
	});
}

function messageOf(kind: FailureKind, body: Failure['body']): string {
	const failure = { ...failureWithoutResponse(kind), body };
	return describeFailure(failure, { provider: { displayName: '…' } }).message;
}

describe('the guides', () => {
	test.each(guides)('%s names only scripts that exist', (file) => {
		const { scripts } = JSON.parse(textOf('package.json'));
		const named = [...textOf(file).matchAll(/npm (?:run ([\w:-]+)|(test|start))\b/g)];
		const unknown = named.map(([, run, own]) => run ?? own).filter((name) => !(name in scripts));
		expect(unknown).toEqual([]);
	});

	test.each(guides)('%s links only to files and headings that exist', (file) => {
		const links = [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
		const broken = links.filter((link) => {
			if (/^https?:/.test(link)) return false;
			const [path, heading] = link.split('#');
			const target = path ? join(file, '..', path) : file;
			const isScreenshot = screenshots.some((name) => target === join('docs', `${name}.png`));
			if (!isScreenshot && !existsSync(join(rootFolder, target))) return true;
			return heading !== undefined && !headingsOf(target).includes(heading);
		});
		expect(broken).toEqual([]);
	});
});

/** The anchors that GitHub makes of headings. */
function headingsOf(file: string): string[] {
	return [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
		title
			.toLowerCase()
			.replace(/[^\w\s-]/g, '')
			.replace(/\s/g, '-'),
	);
}

describe('the table of messages', () => {
	test('quotes only messages that the nodes give', () => {
		expect(quoted.length).toBeGreaterThan(30);
		const kinds = Object.keys(behaviours) as FailureKind[];
		const bodies = ['json', 'html', 'empty', 'text', 'tooLarge', 'none'] as const;
		const given = kinds.flatMap((kind) => bodies.map((body) => messageOf(kind, body)));
		expect(quoted.filter((text) => !given.includes(text) && !isInSources(text))).toEqual([]);
	});

	test('says what to do about each way in which a request can end', () => {
		const kinds = Object.keys(behaviours) as FailureKind[];
		const bodies = ['json', 'html', 'empty', 'text', 'tooLarge', 'none'] as const;
		const given = kinds.flatMap((kind) => bodies.map((body) => messageOf(kind, body)));
		expect([...new Set(given)].filter((text) => !quoted.includes(text))).toEqual([]);
	});
});

describe('the README', () => {
	test('can be read in a few minutes', () => {
		expect(textOf('README.md').split(/\s+/).length).toBeLessThan(1_800);
	});

	test('counts the scenes of the current list', () => {
		const current = scenes.filter(({ availability }) => availability === 'Kling').length;
		expect(textOf('README.md')).toContain(`${current} scenes are in Kling's current list`);
	});

	test('shows the fields of a task in their order', () => {
		const [, sample] = /```json\n([^`]+)```/.exec(textOf('README.md')) ?? [];
		const fields = Object.keys(recordOf('kling', { taskId: '1' }).task);
		expect(Object.keys(JSON.parse(sample))).toEqual(fields);
	});

	test('says of each provider what its adapter says', () => {
		const ids = {
			lookup: 'yes, finds tasks by it',
			unverified: 'sent; finding by it is not documented',
			none: 'no',
		};
		for (const provider of providers) {
			const takes = provider.takes.map((option) => optionNames[option]).join(', ');
			const cells = [
				provider.displayName,
				provider.list ? 'yes' : 'no',
				ids[provider.externalId],
				provider.takes.includes('callbackUrl') ? 'yes' : 'no',
				provider.retention ?? 'not stated',
				takes,
			];
			expect(section('Providers')).toContain(`| ${cells.join(' | ')} |`);
		}
	});

	test("has the headings that n8n's template asks for", () => {
		const headings = [...textOf('README.md').matchAll(/^## (.+)$/gm)].map(([, title]) => title);
		const asked = [
			'Installation',
			'Operations',
			'Credentials',
			'Compatibility',
			'Usage',
			'Resources',
			'Version history',
		];
		expect(headings).toEqual(expect.arrayContaining(asked));
	});
});
