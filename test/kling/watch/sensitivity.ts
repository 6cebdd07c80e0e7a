import { spawnSync } from 'node:child_process';
import {
	cpSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * `tsx test/kling/watch/sensitivity.ts [histories] [words of a rule]`: removes each rule of
 * nodes/kling/watch once, and tells how many random histories notice. A rule that nothing notices
 * protects from nothing, or the histories lack what it is for.
 */
interface Rule {
	name: string;
	file: string;
	is: string;
	becomes: string;
}

const rules: Rule[] = [
	{
		name: 'what ended before the activation is the past',
		file: 'ledger.ts',
		is: 'const isPast = ended < Math.max(wantedSince - marginMs, this.now - keptMs);',
		becomes: 'const isPast = ended < this.now - keptMs;',
	},
	{
		name: '… less a margin',
		file: 'ledger.ts',
		is: 'wantedSince - marginMs, this',
		becomes: 'wantedSince, this',
	},
	{
		name: 'an open task, too, may have ended before its event was wanted',
		file: 'ledger.ts',
		is: '!isBefore && !(wasOpen && this.hasEndedBefore(task, -marginMs))',
		becomes: '!isBefore',
	},
	{
		name: '… less a margin',
		file: 'ledger.ts',
		is: 'this.hasEndedBefore(task, -marginMs)',
		becomes: 'this.hasEndedBefore(task, 0)',
	},
	{
		name: 'what the first response shows as ended is the past',
		file: 'ledger.ts',
		is: 'const isBefore = this.justWanted.includes(status as TaskEvent);',
		becomes: 'const isBefore = false;',
	},
	{
		name: 'each event has its own moment',
		file: 'ledger.ts',
		is: 'this.wanted[event] = state.wanted[event];',
		becomes: 'this.wanted[event] = state.wanted.succeed ?? state.wanted.failed;',
	},
	{
		name: 'the moment comes from the provider even when it refuses',
		file: 'account.ts',
		is: 'this.ledger.noteTime(providerTime);\n\t\treturn failure;',
		becomes: 'void providerTime;\n\t\treturn failure;',
	},
	{
		name: 'ended tasks are remembered',
		file: 'ledger.ts',
		is: 'if (this.seen.has(taskId)) return;',
		becomes: '',
	},
	{
		name: '… beyond their creation',
		file: 'ledger.ts',
		is: 'return isDated ? Math.max(created, endMs(task) || now) : 0;',
		becomes: 'return isDated ? created || endMs(task) : 0;',
	},
	{
		name: '… also where ends are not dated',
		file: 'ledger.ts',
		is: 'endMs(task) || now)',
		becomes: 'endMs(task))',
	},
	{
		name: '… and forgotten when their creations are settled',
		file: 'account.ts',
		is: 'else ledger.seen.forget(since);',
		becomes: '',
	},
	{
		name: 'what was created before the watermark is settled',
		file: 'ledger.ts',
		is: 'return !isPast && (since === null || stamp >= since);',
		becomes: 'return !isPast;',
	},
	{
		name: 'the watermark keeps the margin',
		file: 'account.ts',
		is: 'Math.min(pass.startedAt - marginMs, pass.top ?? 0)',
		becomes: 'Math.min(pass.startedAt, pass.top ?? 0)',
	},
	{
		name: 'the watermark stays behind the newest creation',
		file: 'account.ts',
		is: 'Math.min(pass.startedAt - marginMs, pass.top ?? 0)',
		becomes: 'pass.startedAt - marginMs',
	},
	{
		name: 'the watermark lags by one pass of several pages',
		file: 'account.ts',
		is: 'pass.page === 2 ? next : settled.next',
		becomes: 'next',
	},
	{
		name: '… and in a list in no order until all servers know what the last pass knew',
		file: 'account.ts',
		is: ' || pass.startedAt >= settled.nextAt + marginMs',
		becomes: ' || pass.startedAt >= settled.nextAt',
	},
	{
		name: 'tasks without any date: the first reading emits none',
		file: 'ledger.ts',
		is: 'if (stamp === 0) return this.noteUndated(task, since !== null);',
		becomes: 'if (stamp === 0) return this.noteUndated(task, true);',
	},
	{
		name: 'tasks without any date are remembered for always',
		file: 'ledger.ts',
		is: 'return isDated ? Math.max(created, endMs(task) || now) : 0;',
		becomes: 'return Math.max(created, endMs(task) || now);',
	},
	{
		name: 'the date of an end that is none does not count',
		file: 'ledger.ts',
		is: 'task.updatedAt !== null && updatedMs(task) > createdMs(task) ? updatedMs(task) : 0',
		becomes: 'updatedMs(task)',
	},
	{
		name: 'running tasks are followed',
		file: 'ledger.ts',
		is: 'if (!isTooOld && this.open.size < mostOpen) this.open.add(taskId);',
		becomes: '',
	},
	{
		name: 'open tasks that no page shows are looked at',
		file: 'account.ts',
		is: 'if (reading.hasBegun) await lookAtRest(reading, source, time);',
		becomes: '',
	},
	{
		name: 'a pass ends only where the list is newest first',
		file: 'account.ts',
		is: '|| !isNewestFirst(this.pass, this.top)',
		becomes: '',
	},
	{
		name: '… which a creation against the order refutes',
		file: 'pass.ts',
		is: 'if (order.lowest !== null && stamp > order.lowest + marginMs) return null;',
		becomes: '',
	},
	{
		name: '… by more than the margin',
		file: 'pass.ts',
		is: 'stamp > order.lowest + marginMs',
		becomes: 'stamp > order.lowest',
	},
	{
		name: '… which takes evidence',
		file: 'pass.ts',
		is: 'order.bits >= enoughBits',
		becomes: 'order.bits >= 0',
	},
	{
		name: '… of rows that the margin sets apart',
		file: 'pass.ts',
		is: 'bits: order.bits + Math.log2(rows / group.rows),',
		becomes: 'bits: order.bits + Math.log2(rows),',
	},
	{
		name: '… or begins with what an earlier pass knew as the newest',
		file: 'pass.ts',
		is: 'const isAsBefore = top !== null && newTop !== null && newTop >= top;',
		becomes: 'const isAsBefore = top !== null;',
	},
	{
		name: '… or is not known to be so any more',
		file: 'account.ts',
		is: 'this.top = isNewestFirst(pass, this.top) ? pass.top : null;',
		becomes: 'this.top = pass.top;',
	},
	{
		name: 'the first reading goes back a day',
		file: 'account.ts',
		is: 'this.settled.since ?? startedAt - firstReachMs',
		becomes: 'this.settled.since ?? startedAt - marginMs',
	},
	{
		name: 'a pass that is not at its end goes on in the next poll',
		file: 'account.ts',
		is: 'this.pass = state.pass ?? beginPass(this.usualSize);',
		becomes: 'this.pass = beginPass(this.usualSize);',
	},
	{
		name: 'a pass began when its first page was read',
		file: 'pass.ts',
		is: 'startedAt: pass.page === 1 ? providerTime : pass.startedAt,',
		becomes: 'startedAt: providerTime,',
	},
	{
		name: 'a small page of news is followed by a pass of large ones',
		file: 'account.ts',
		is: 'else if (size < this.list.largestPage) this.pass = beginPass(this.list.largestPage);',
		becomes: '',
	},
];

const [histories = '3000', words = ''] = process.argv.slice(2);
const root = resolve(__dirname, '../../..');

for (const rule of rules.filter(({ name }) => name.includes(words))) {
	console.log(`${noticed(rule).padStart(6)}  ${rule.file}: ${rule.name}`);
}

/** Plays the histories against a copy of the code that lacks the rule. */
function noticed({ file, is, becomes }: Rule): string {
	const copy = mkdtempSync(join(tmpdir(), 'watch-sensitivity-'));
	for (const folder of ['nodes/kling', 'test/kling/watch']) {
		mkdirSync(join(copy, folder), { recursive: true });
		cpSync(join(root, folder), join(copy, folder), { recursive: true });
	}
	cpSync(join(root, 'package.json'), join(copy, 'package.json'));
	symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
	const path = join(copy, 'nodes/kling/watch', file);
	const code = readFileSync(path, 'utf8');
	if (!code.includes(is)) throw new Error(`${file} does not hold: ${is}`);
	writeFileSync(path, code.replace(is, becomes));
	const script = join(copy, 'test/kling/watch/count.ts');
	const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, histories], {
		cwd: copy,
		encoding: 'utf8',
		timeout: 120_000,
	});
	rmSync(copy, { recursive: true, force: true });
	const result = /\{.*\}\s*$/.exec(stdout)?.[0];
	if (!result) return /timed out|^$/i.test(stderr) ? 'endless' : `broken: ${stderr.slice(0, 300)}`;
	return String((JSON.parse(result) as { wrong: number }).wrong);
}
