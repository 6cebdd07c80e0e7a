import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startSandbox, type Sandbox } from '../../../sandbox';
import { runNode } from '../../../tools/engine';
import { useInstantClock, type InstantClock } from '../../harness/clock';
import { ActiveTrigger } from '../../harness/activeTrigger';
import { randomCases } from '../../harness/randomCases';

/**
 * Fifty hours of a trigger that polls each minute, and the creates of a busy day, in one process and
 * within a minute: nothing may grow with the number of polls, tasks or creates.
 */

const polls = randomCases(3_000, 'SOAK_POLLS');
const perRun = 10;
const creates = randomCases(50, 'SOAK_RUNS') * perRun;
const minuteMs = 60_000;
/** A busy machine takes several times the usual half minute. */
const longestMs = 180_000;
/** Generous: a leak grows by far more in this many rounds. */
const mostGrowth = 10_000_000;
const mostStateBytes = 20_000;

let sandbox: Sandbox;
let time: { clock: InstantClock; restore: () => void };

beforeAll(async () => {
	sandbox = await startSandbox({ taskSeconds: 180 });
	time = useInstantClock(sandbox);
});
afterAll(async () => {
	time.restore();
	await sandbox.close();
});
beforeEach(() => sandbox.reset());

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use on the heap, without garbage. */
async function heapUsed(): Promise<number> {
	// Sockets and promises are released in the turns after the last request.
	for (let round = 0; round < 3; round++) {
		await new Promise((resolve) => setTimeout(resolve, 20));
		collectGarbage();
	}
	return process.memoryUsage().heapUsed;
}

/** The sandbox keeps what it was sent, for the tests; here that must not count. */
function forgetRequests(): void {
	sandbox.requests.length = 0;
	sandbox.charges.length = 0;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function report(text: string): void {
	process.stdout.write(`${text}\n`);
}

test(
	`${polls} polls of the trigger leave memory and saved state as small as the first thousand`,
	async () => {
		const trigger = new ActiveTrigger({
			credential: sandbox.credential('kling'),
			parameters: { watch: 'account' },
		});
		const emitted = new Map<string, number>();
		let lists = 0;
		let made = 0;
		let largest = 0;
		let heapAtThird = 0;
		const startedAt = performance.now();
		for (let poll = 1; poll <= polls; poll++) {
			if (poll > 1) made += addTasks(poll);
			for (const id of await trigger.ids()) emitted.set(id, (emitted.get(id) ?? 0) + 1);
			lists += sandbox.requests.length;
			forgetRequests();
			largest = Math.max(largest, trigger.saved.text.length);
			await time.clock.sleep(minuteMs);
			if (poll === polls / 3) heapAtThird = await heapUsed();
		}
		// Tasks that are still running end, and are emitted too.
		for (let poll = 0; poll < 3; poll++) {
			await time.clock.sleep(10 * minuteMs);
			for (const id of await trigger.ids()) emitted.set(id, (emitted.get(id) ?? 0) + 1);
		}
		const growth = (await heapUsed()) - heapAtThird;
		const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
		report(
			`${polls} polls in ${seconds} s: ${made} tasks, ${lists} requests, state ${largest} bytes at most and ${trigger.saved.text.length} at the end, heap ${megabytes(growth)} more than after a third`,
		);
		expect(emitted.size).toBe(made);
		expect([...emitted.values()].every((times) => times === 1)).toBe(true);
		expect(largest).toBeLessThan(mostStateBytes);
		expect(trigger.saved.text.length).toBeLessThan(mostStateBytes);
		expect(growth).toBeLessThan(mostGrowth);
	},
	longestMs,
);

/** A quiet half hour, then a task; now and then many at once. */
function addTasks(poll: number): number {
	const count = poll % (polls / 3) === 0 ? 30 : poll % 30 === 0 ? 1 : 0;
	const now = time.clock.now();
	sandbox.seedTasks(
		'kling',
		Array.from({ length: count }, (_, index) => ({
			taskId: `task-${poll}-${index}`,
			status: 'processing' as const,
			createdAt: now - index * 1_000,
			finishedAt: now + (1 + (index % 7)) * minuteMs,
			outcome: index % 5 === 0 ? ('failed' as const) : ('succeed' as const),
		})),
	);
	return count;
}

test(
	`${creates} creates, waited for, leave memory as it was after the first third`,
	async () => {
		const credential = sandbox.credential('kling');
		let heapAtThird = 0;
		let finished = 0;
		const startedAt = performance.now();
		for (let run = 1; run <= creates / perRun; run++) {
			const { json, error } = await runNode({
				credential,
				executionId: `soak-${run}`,
				items: Array.from({ length: perRun }, () => ({ json: {} })),
				parameters: {
					operation: 'create',
					effectScene: { mode: 'name', value: 'squish' },
					imageInput: 'url',
					image: 'https://photos.example/one.jpg',
					waitForCompletion: true,
					downloadVideo: false,
				},
			});
			expect(error).toBeUndefined();
			finished += json.filter(({ status }) => status === 'succeed').length;
			sandbox.reset();
			if (run === Math.round(creates / perRun / 3)) heapAtThird = await heapUsed();
		}
		const growth = (await heapUsed()) - heapAtThird;
		const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
		report(`${creates} creates in ${seconds} s, heap ${megabytes(growth)} more than after a third`);
		expect(finished).toBe(creates);
		expect(growth).toBeLessThan(mostGrowth);
	},
	longestMs,
);
