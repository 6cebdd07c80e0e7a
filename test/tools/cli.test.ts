import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readArguments } from '../../conformance/arguments';
import { helpOf, readCommandLine, type CommandLine } from '../../tools/cli.cjs';

const root = join(__dirname, '..', '..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
	scripts: Record<string, string>;
};

/** Runs a command of package.json, without npm around it. */
function run(name: string, ...words: string[]) {
	const [program, ...script] = scripts[name].split(' ');
	const path = program === 'node' ? process.execPath : join(root, 'node_modules', '.bin', program);
	return spawnSync(path, [...script, ...words], { cwd: root, encoding: 'utf8' });
}

const commands = [
	'bench',
	'conformance',
	'demo',
	'dev',
	'mutation',
	'sandbox',
	'screenshots',
	'test',
	'test:e2e',
	'test:n8n-node',
	'test:queue',
];

describe.each(commands)('npm run %s', (name) => {
	test('says with --help what it does and takes, and does nothing else', () => {
		const { stdout, stderr, status } = run(name, '--help');
		expect(stdout).toMatch(new RegExp(`^Usage: npm (run )?${name} -- \\[options\\]`));
		expect(stdout).toMatch(/^ {2}--help +this text$/m);
		expect([stderr, status]).toEqual(['', 0]);
	});
});

/** `npm test` passes anything it does not know to jest. */
const strict = commands.filter((name) => name !== 'test');

describe.each(strict)('npm run %s', (name) => {
	test('ends at an option that it does not have, without a stack trace', () => {
		const { stdout, stderr, status } = run(name, '--colour', 'red');
		expect([stdout, status]).toEqual(['', 1]);
		expect(stderr).toMatch(
			/^Unknown option '--colour'\. "npm run .+ -- --help" says what it takes\.\n$/,
		);
	});
});

describe('a command line', () => {
	const line: CommandLine = {
		command: 'npm run walk',
		about: 'Walks.',
		rest: { name: 'place', most: 2, about: 'where to' },
		options: {
			provider: { value: 'NAME', oneOf: ['kling', 'cometApi'], default: 'kling', about: 'whose' },
			'task-seconds': { value: 'N', number: true, default: 4, about: 'how long' },
			times: { value: 'N', number: 'whole', about: 'how often' },
			only: { value: 'NAME', many: true, about: 'some' },
			fast: { about: 'faster' },
		},
	};
	const usual = { provider: 'kling', taskSeconds: 4, fast: false, help: false, rest: [] };

	test('has the usual values where nothing is given', () => {
		expect(readCommandLine(line, [])).toEqual(usual);
	});

	test.each([
		[['--provider', 'COMETAPI'], { provider: 'cometApi' }],
		[['--provider=Comet-Api'], { provider: 'cometApi' }],
		[['--task-seconds', '0.5', '--times', '3'], { taskSeconds: 0.5, times: 3 }],
		[['--only', 'a', '--only', 'b', '--fast'], { only: ['a', 'b'], fast: true }],
		[['here', '--fast', 'there'], { fast: true, rest: ['here', 'there'] }],
	])('%j is understood', (args, values) => {
		expect(readCommandLine(line, args)).toEqual({ ...usual, ...values });
	});

	test.each([
		[['--provider', 'nokia'], '--provider must be one of kling, cometApi'],
		[['--task-seconds', 'ten'], '--task-seconds must be a number'],
		[['--task-seconds', ''], '--task-seconds must be a number'],
		[['--task-seconds=-1'], '--task-seconds must be a number'],
		[['--times', '1.5'], '--times must be a whole number'],
		[['--times'], "Option '--times <value>' argument missing"],
		[['--quick'], "Unknown option '--quick'"],
		[['a', 'b', 'c'], 'At most 2 of place, not 3'],
	])('%j is refused by name', (args, message) => {
		expect(() => readCommandLine(line, args)).toThrow(message);
	});

	test('its help names each option with its usual value', () => {
		const help = helpOf(line);
		expect(help).toContain('Usage: npm run walk -- [options] [place …]');
		expect(help).toContain('--task-seconds N  how long (4)');
		expect(readCommandLine(line, ['--help', '--fast'])).toEqual({ help: true });
	});
});

test.each(['KLING', 'cometapi', 'CometAPI', 'MODELLIX', 'All'])(
	'the conformance command takes the provider %s in any case',
	(name) => {
		const { providers } = readArguments(['--provider', name]);
		const names = providers.map((provider) => provider.name.toLowerCase());
		if (name === 'All') expect(names).toHaveLength(5);
		else expect(names).toEqual([name.toLowerCase()]);
	},
);
