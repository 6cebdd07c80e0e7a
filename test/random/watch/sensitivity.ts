import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * `tsx test/random/watch/sensitivity.ts [histories] [words of a rule, or of its file]`: removes each rule
 * of nodes/kling/watch and of the poll lock once, and reports how many random histories and how many test
 * examples notice. A rule whose removal nothing notices protects from nothing, or the tests lack its
 * case.
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
		is: 'Math.max(wantedSince - marginMs, tooOld)',
		becomes: '(wantedSince === Infinity ? Infinity : tooOld)',
	},
	{
		name: '… less a margin',
		file: 'ledger.ts',
		is: 'Math.max(wantedSince - marginMs, tooOld',
		becomes: 'Math.max(wantedSince, tooOld',
	},
	{
		name: '… and so is what ended more than 30 days ago',
		file: 'ledger.ts',
		is: 'Math.max(wantedSince - marginMs, tooOld)',
		becomes: 'wantedSince - marginMs',
	},
	{
		name: 'where its end is not dated, a task that ran has ended now',
		file: 'ledger.ts',
		is: '(!wasOpen && createdMs(task))',
		becomes: 'createdMs(task)',
	},
	{
		name: '… and another at its creation',
		file: 'ledger.ts',
		is: '(!wasOpen && createdMs(task)) || ',
		becomes: '',
	},
	{
		name: 'the date of an end that is none does not count',
		file: 'ledger.ts',
		is: 'task.updatedAt !== null && updatedMs(task) > createdMs(task) ? updatedMs(task) : 0',
		becomes: 'updatedMs(task)',
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
		file: 'list.ts',
		is: 'ledger.hear(outcome.providerTime);',
		becomes: 'if (outcome.ok) ledger.hear(outcome.providerTime);',
	},
	{
		name: 'ended tasks are remembered',
		file: 'ledger.ts',
		is: 'if (isSettled || this.seen.has(taskId)) return;',
		becomes: 'if (isSettled) return;',
	},
	{
		name: '… and forgotten when their creations are settled',
		file: 'list.ts',
		is: 'if (since !== null) this.ledger.seen.forget(since);',
		becomes: '',
	},
	{
		name: '… 10,000 of them at most',
		file: 'list.ts',
		is: 'if (ledger.seen.size > mostSeen) {',
		becomes: 'if (ledger.seen.size < 0) {',
	},
	{
		name: '… and what was created before is settled',
		file: 'list.ts',
		is: 'since: Math.max(this.settled.since ?? 0, forgotten)',
		becomes: 'since: this.settled.since',
	},
	{
		name: 'an ended task that was created before the watermark has been handled',
		file: 'ledger.ts',
		is: 'const isSettled = !wasOpen &&',
		becomes: 'const isSettled = !wasOpen && !isFinal(status) &&',
	},
	{
		name: '… and a running one, too, which a server that lags behind shows',
		file: 'ledger.ts',
		is: 'const isSettled = !wasOpen &&',
		becomes: 'const isSettled = !wasOpen && isFinal(status) &&',
	},
	{
		name: '… but for those that were followed',
		file: 'ledger.ts',
		is: 'const isSettled = !wasOpen &&',
		becomes: 'const isSettled =',
	},
	{
		name: 'running tasks are followed',
		file: 'ledger.ts',
		is: 'if (stamp >= tooOld && this.open.size < mostOpen) this.open.add(taskId);',
		becomes: '',
	},
	{
		name: '… for 30 days',
		file: 'ledger.ts',
		is: 'if (stamp >= tooOld && this',
		becomes: 'if (this',
	},
	{
		name: '… 3,000 of them at most',
		file: 'ledger.ts',
		is: 'if (stamp >= tooOld && this.open.size < mostOpen)',
		becomes: 'if (stamp >= tooOld)',
	},
	{
		name: '… until the provider has not known one for long',
		file: 'ledger.ts',
		is: 'if (times + 1 >= mostMisses && this.now - since >= longestMissingMs) return;',
		becomes: '',
	},
	{
		name: '… for a day',
		file: 'ledger.ts',
		is: ' && this.now - since >= longestMissingMs',
		becomes: '',
	},
	{
		name: '… in a row',
		file: 'ledger.ts',
		is: 'this.missing.delete(taskId);',
		becomes: '',
	},
	{
		name: 'tasks without any date: the first reading emits none',
		file: 'ledger.ts',
		is: '(since === null || isFull)',
		becomes: 'isFull',
	},
	{
		name: '… a thousand of them are remembered',
		file: 'ledger.ts',
		is: 'if (!isFull) this.seen',
		becomes: 'this.seen',
	},
	{
		name: '… and beyond those only the ones that ran are emitted',
		file: 'ledger.ts',
		is: '(since === null || isFull)',
		becomes: 'since === null',
	},
	{
		name: '… and remembered for always',
		file: 'ledger.ts',
		is: 'const stamp = createdMs(task) || endMs(task) || Infinity;',
		becomes: 'const stamp = createdMs(task) || endMs(task) || this.now;',
	},
	{
		name: 'only tasks with the prefix are noted',
		file: 'ledger.ts',
		is: 'if (!matches(task, { externalTaskIdPrefix: this.filter.externalTaskIdPrefix })) return;',
		becomes: '',
	},
	{
		name: 'a task is emitted once by its ID and its external ID',
		file: 'ledger.ts',
		is: 'if (isSeen || wantedSince === undefined) return;',
		becomes: 'if (wantedSince === undefined) return;',
	},
	{
		name: 'what has ended or was given up is not asked for again',
		file: 'ids.ts',
		is: 'if (!open.has(taskId)) seen.add(taskId, Infinity);',
		becomes: '',
	},
	{
		name: 'IDs that are no longer given are not asked for',
		file: 'ids.ts',
		is: 'if (!given.has(taskId)) open.delete(taskId);',
		becomes: '',
	},
	{
		name: '… and remembered, a thousand of them',
		file: 'ids.ts',
		is: 'seen.forgetOthers(taskIds, mostOthers);',
		becomes: '',
	},
	{
		name: 'the watermark keeps the margin',
		file: 'list.ts',
		is: 'Math.min(startedAt - marginMs, pass.top ?? 0)',
		becomes: 'Math.min(startedAt, pass.top ?? 0)',
	},
	{
		name: 'the watermark stays behind the newest creation',
		file: 'list.ts',
		is: 'Math.min(startedAt - marginMs, pass.top ?? 0)',
		becomes: 'startedAt - marginMs',
	},
	{
		name: '… and behind the clock',
		file: 'list.ts',
		is: 'Math.min(startedAt - marginMs, pass.top ?? 0)',
		becomes: 'pass.top ?? 0',
	},
	{
		name: 'the watermark lags by one pass',
		file: 'list.ts',
		is: 'if (settled.next !== null) since = Math.max(since ?? 0, settled.next);\n',
		becomes: '',
	},
	{
		name: '… in a list in no order until all servers know what the last pass knew',
		file: 'list.ts',
		is: ' && startedAt >= settled.nextAt + marginMs',
		becomes: '',
	},
	{
		name: '… or two that are newest first',
		file: 'list.ts',
		is: '(wasNewestFirst && this.top !== null)',
		becomes: 'this.top !== null',
	},
	{
		name: '… and three readings of it',
		file: 'list.ts',
		is: 'readings >= readingsInNoOrder && ',
		becomes: '',
	},
	{
		name: 'open tasks that no page shows are looked at',
		file: 'list.ts',
		is: 'if (this.hasRead && ledger.pending.size > 0) {',
		becomes: 'if (this.hasRead && false) {',
	},
	{
		name: '… but not where nothing can be read',
		file: 'list.ts',
		is: 'if (this.hasRead && ledger.pending.size > 0) {',
		becomes: '{',
	},
	{
		name: '… or is not known to be so any more',
		file: 'list.ts',
		is: 'this.top = isNewestFirst(pass, this.top) ? pass.top : null;',
		becomes: 'this.top = pass.top;',
	},
	{
		name: 'a pass that is not at its end continues in the next poll',
		file: 'list.ts',
		is: 'this.pass = this.storedPass ?? beginPass(this.usualSize);',
		becomes: 'this.pass = beginPass(this.usualSize);',
	},
	{
		name: 'a page that failed is asked for again',
		file: 'source.ts',
		is: 'if (outcome.ok || page === 1 || tries === pageTries) return outcome;',
		becomes: 'return outcome;',
	},
	{
		name: 'after a page that never comes a poll begins with the newest',
		file: 'list.ts',
		is: 'if (this.pass?.isStuck) {',
		becomes: 'if (this.pass?.isStuck && false) {',
	},
	{
		name: 'a poll looks at a hundred single tasks at most',
		file: 'source.ts',
		is: 'taskIds.slice(0, most)',
		becomes: 'taskIds',
	},
	{
		name: 'one that cannot be read gets its turn behind the others',
		file: 'source.ts',
		is: 'ledger.postpone(taskId);',
		becomes: '',
	},
	{
		name: 'a task that the provider does not know is no failure of the poll',
		file: 'source.ts',
		is: "!outcome.ok && behaviourOf(outcome.failure).concerns !== 'task'",
		becomes: '!outcome.ok',
	},
	{
		name: 'given IDs: what ended before the margin is the past',
		file: 'ledger.ts',
		is: 'isBefore || end < wantedSince - marginMs;',
		becomes: 'isBefore;',
	},
	{
		name: '… less a margin',
		file: 'ledger.ts',
		is: 'isBefore || end < wantedSince - marginMs;',
		becomes: 'isBefore || end < wantedSince;',
	},
	{
		name: '… and what the first response shows, in any case',
		file: 'ledger.ts',
		is: 'isBefore || end < wantedSince - marginMs;',
		becomes: 'end < wantedSince - marginMs;',
	},
	{
		name: '… and what is not dated, where the first poll shows it',
		file: 'ledger.ts',
		is: 'isUndated ? this.isFirst :',
		becomes: 'isUndated ? false :',
	},
	{
		name: '… but not where a later one does',
		file: 'ledger.ts',
		is: 'isUndated ? this.isFirst :',
		becomes: 'isUndated ? true :',
	},
	{
		name: '… nor for IDs that are given later',
		file: 'ledger.ts',
		is: 'if (isNewId || !isPast)',
		becomes: 'if (!isPast)',
	},
	{
		name: 'the first poll looks at all given IDs',
		file: 'ids.ts',
		is: 'most: taskIds.length,',
		becomes: 'most: 100,',
	},
	{
		name: '… and fails only after many that cannot be read',
		file: 'ids.ts',
		is: 'const mostFailedAtFirst = 20;',
		becomes: 'const mostFailedAtFirst = 3;',
	},
	{
		name: 'what is known is marked, be there events to want or not',
		file: 'ledger.ts',
		is: 'this.isFirst = state.activatedAt === null;',
		becomes: 'this.isFirst = filter.events.every((event) => state.wanted[event] === undefined);',
	},
	{
		name: 'without a response no time is known',
		file: 'ledger.ts',
		is: 'if (providerTime === null) return;',
		becomes: 'providerTime ??= 0;',
	},
	{
		name: '… and an event counts from the last one',
		file: 'ledger.ts',
		is: '[event, wanted[event] ?? heardAt]',
		becomes: '[event, wanted[event]]',
	},
	{
		name: 'what the first reading shows as ended stays the past',
		file: 'ledger.ts',
		is: '&& !isBefore && !isFirstReading) return;',
		becomes: ') return;',
	},
	{
		name: 'a pass ends only where the list is newest first',
		file: 'list.ts',
		is: '!order || !isNewestFirst(pass, this.top) || ',
		becomes: '!order || ',
	},
	{
		name: '… which a creation against the order refutes',
		file: 'order.ts',
		is: 'return isNewer(stamp, order) ? null : order;',
		becomes: 'return order;',
	},
	{
		name: '… by more than the margin',
		file: 'order.ts',
		is: '(lowest ?? Infinity) + marginMs',
		becomes: '(lowest ?? Infinity)',
	},
	{
		name: '… which takes evidence',
		file: 'order.ts',
		is: 'order.steps >= provingRows',
		becomes: 'order.steps >= 1',
	},
	{
		name: '… of rows that are each older than all before',
		file: 'order.ts',
		is: 'return isNewer(stamp, order) ? null : order;',
		becomes: 'return isNewer(stamp, order) ? null : { lowest, steps: steps + 1 };',
	},
	{
		name: '… and of pages deeper in the list',
		file: 'order.ts',
		is: 'if (probe.stamps.some((stamp) => isNewer(stamp, order))) return false;',
		becomes: '',
	},
	{
		name: '… up to the last one',
		file: 'order.ts',
		is: 'Math.floor((deepest + empty) / 2)',
		becomes: 'empty',
	},
	{
		name: '… or begins with what an earlier pass knew as the newest',
		file: 'pass.ts',
		is: 'pass.top !== null && pass.top >= top',
		becomes: 'pass.top !== null',
	},
	{
		name: 'the first reading goes back a day',
		file: 'list.ts',
		is: 'this.ledger.wantedSince - firstReachMs',
		becomes: 'this.ledger.wantedSince - marginMs',
	},
	{
		name: '… and no further',
		file: 'list.ts',
		is: 'this.settled.since ?? this.ledger.wantedSince - firstReachMs',
		becomes: 'this.settled.since ?? 0',
	},
	{
		name: 'a pass began when its first page was read',
		file: 'pass.ts',
		is: 'startedAt: pass.page === 1 ? now : pass.startedAt,',
		becomes: 'startedAt: now,',
	},
	{
		name: 'a small page of news is followed by a pass of large ones',
		file: 'list.ts',
		is: 'page === 1 && size < this.largeSize ? beginPass(this.largeSize) : pass;',
		becomes: 'pass;',
	},
	{
		name: '… with other borders than the last one had',
		file: 'list.ts',
		is: 'this.settled.size === largestPage ? Math.ceil(largestPage * otherPart) : largestPage',
		becomes: 'largestPage',
	},
	{
		name: '… also where the provider cuts pages short',
		file: 'list.ts',
		is: 'this.settled.size === size ? Math.ceil(size * otherPart) : size',
		becomes: 'size',
	},
	{
		name: 'a page with fewer tasks than were asked for may be cut short, or thinned out',
		file: 'list.ts',
		is: 'rows === 0 || (rows < size && isWhole)',
		becomes: 'rows < size',
	},
	{
		name: '… unless it was followed by an empty one',
		file: 'list.ts',
		is: 'rows === 0 || (rows < size && isWhole)',
		becomes: 'rows === 0',
	},
	{
		name: '… lately',
		file: 'list.ts',
		is: 'this.top !== null || now < whole.at + marginMs',
		becomes: 'true',
	},
	{
		name: '… and looks as it did then',
		file: 'list.ts',
		is: 'rows === whole.rows && top === whole.top',
		becomes: 'rows === whole.rows',
	},
	{
		name: 'an idle poll asks for a small page',
		file: 'list.ts',
		is: 'if (this.top === null || since === null) return this.largeSize;',
		becomes: 'return this.largeSize;',
	},
	{
		name: '… that holds what runs',
		file: 'list.ts',
		is: 'this.beside + open.size;',
		becomes: 'this.beside;',
	},
	{
		name: '… and what else came lately',
		file: 'list.ts',
		is: 'this.beside + open.size;',
		becomes: 'open.size;',
	},
	{
		name: '… and what comes until the next',
		file: 'list.ts',
		is: '(1 + Math.min(interval / (now - since), 1))',
		becomes: '1',
	},
	{
		name: 'single tasks: no more after three reads that failed',
		file: 'source.ts',
		is: 'failures.length >= mostFailed || ',
		becomes: '',
	},
	{
		name: '… or one that tells that all would',
		file: 'source.ts',
		is: 'failures.some(concernsAll) || ',
		becomes: '',
	},
	{
		name: 'two readings are counted from the end of the first',
		file: 'list.ts',
		is: 'nextAt: now, readings',
		becomes: 'nextAt: startedAt, readings',
	},
	{
		name: '… which a wrong date does not put off for days',
		file: 'list.ts',
		is: 'Math.min(settled.nextAt, now)',
		becomes: 'settled.nextAt',
	},
	{
		name: 'one poll of a node runs at a time',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'if (polls.lock && !isActivation && now < polls.until) return null;',
		becomes: '',
	},
	{
		name: '… unless it takes too long',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: ' && now < polls.until',
		becomes: '',
	},
	{
		name: '… but for an activation, which takes the place of the one under way',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'polls.lock && !isActivation &&',
		becomes: 'polls.lock &&',
	},
	{
		name: '… that then stores nothing',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'return this.polls.lock === this;',
		becomes: 'return true;',
	},
	{
		name: 'what n8n drops is known in the process',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'if (quiet && isAbout(quiet.state) && quiet.from === this.from) return quiet.state;',
		becomes: '',
	},
	{
		name: '… as long as n8n has not gone on from something else',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'polls.quiet = null;',
		becomes: '',
	},
	{
		name: '… and nothing was emitted that n8n may not have started with',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'if (!hasEmitted) this',
		becomes: 'this',
	},
	{
		name: 'a renamed node continues where it was',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'if (isAbout(before) && before.polls > this.from) return before;',
		becomes: '',
	},
	{
		name: 'the last response is known in the process',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'Math.max(stored.heardAt, last.heardAt)',
		becomes: 'stored.heardAt',
	},
	{
		name: 'a poll with data of its own is no activation where cursors are durable',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'polls.holder !== holder && !isScheduled',
		becomes: 'polls.holder !== holder',
	},
	{
		name: 'a poll of the old name emits nothing once the node is renamed',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'if (renamedFrom?.last) renamedFrom.lock = null;',
		becomes: '',
	},
	{
		name: '… until it has left a state under its new name',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'ofId.kept !== name && !ofId.areTwins',
		becomes: 'ofId.begun !== name && !ofId.areTwins',
	},
	{
		name: 'two nodes with one ID are told from one that was renamed',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'if (ofId.begun !== name && polls.holder === holder) ofId.areTwins = true;',
		becomes: '',
	},
	{
		name: 'a durable cursor needs nothing that another name left',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: '!ofId.areTwins && !isScheduled;',
		becomes: '!ofId.areTwins;',
	},
	{
		name: 'failures are shown after five in a row',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: 'polls.failures > mostQuietPolls || ',
		becomes: '',
	},
	{
		name: '… or a quarter of an hour',
		file: '../../KlingEffectsTrigger/pollLock.ts',
		is: ' || now - polls.failingSince >= longestQuietMs',
		becomes: '',
	},
	{
		name: 'a list that had few tasks is read anew',
		file: 'list.ts',
		is: 'return isTiny ? null : pass;',
		becomes: 'return pass;',
	},
	{
		name: 'where a deeper page cannot be looked at, no other one is in this poll',
		file: 'list.ts',
		is: 'if (!this.canProbe) return false;',
		becomes: '',
	},
	{
		name: 'the past that a first reading remembers has an upper size',
		file: 'ledger.ts',
		is: ' && this.seen.size < mostPast',
		becomes: '',
	},
];

const [histories = '3000', words = ''] = process.argv.slice(2);
const root = resolve(__dirname, '../../..');
/** The examples for a file; those in n8n's engine take longer, and only run if these notice nothing. */
const examplesFor = (file: string) =>
	file.includes('pollLock')
		? ['test/unit/KlingEffectsTrigger/pollLock.test.ts']
		: file === 'ids.ts'
			? ['test/unit/kling/watch/ids.test.ts']
			: ['test/unit/kling/watch'];
for (const { file, is } of rules) {
	const parts = readFileSync(join(root, 'nodes/kling/watch', file), 'utf8').split(is);
	if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times: ${is}`);
}
/** Longer than any test takes: a missing rule can make a poll endless. */
const patienceMs = 180_000;

/** A copy of the code, in which one rule after the other is removed. */
const copy = mkdtempSync(join(tmpdir(), 'watch-sensitivity-'));
for (const name of [
	'nodes',
	'credentials',
	'sandbox',
	'test',
	'tools',
	'package.json',
	'jest.config.js',
])
	cpSync(join(root, name), join(copy, name), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

console.log('histories  examples  rule');
for (const rule of rules.filter(({ name, file }) => `${file}: ${name}`.includes(words))) {
	const path = join(copy, 'nodes/kling/watch', rule.file);
	const code = readFileSync(path, 'utf8');
	writeFileSync(path, code.replace(rule.is, rule.becomes));
	const first = histories === '0' ? '-' : inHistories();
	const second = inExamples(examplesFor(rule.file));
	const noticed = second === '0' ? inExamples(['test/promises/trigger']) : second;
	console.log(`${first.padStart(9)}  ${noticed.padStart(8)}  ${rule.file}: ${rule.name}`);
	writeFileSync(path, code);
}
rmSync(copy, { recursive: true, force: true });

/** How many random histories notice. */
function inHistories(): string {
	const script = join(copy, 'test/random/watch/count.ts');
	const { stdout, stderr } = inCopy(['--import', 'tsx', script, histories]);
	const result = /\{.*\}\s*$/.exec(stdout)?.[0];
	if (!result) return /timed out|^$/i.test(stderr) ? 'endless' : `broken: ${stderr.slice(0, 300)}`;
	return String((JSON.parse(result) as { wrong: number }).wrong);
}

/** How many examples of these tests notice. */
function inExamples(tests: string[]): string {
	const jest = join(root, 'node_modules/jest/bin/jest.js');
	const { stdout } = inCopy([jest, '--json', '-w', '1', '--rootDir', copy, ...tests]);
	const result = stdout.slice(stdout.indexOf('{'));
	if (!result) return 'endless';
	const { numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(result) as Record<
		string,
		number
	>;
	return numRuntimeErrorTestSuites > 0 ? 'broken' : String(numFailedTests);
}

function inCopy(words: string[]) {
	return spawnSync(process.execPath, words, {
		cwd: copy,
		encoding: 'utf8',
		timeout: patienceMs,
		maxBuffer: 2 ** 26,
	});
}
