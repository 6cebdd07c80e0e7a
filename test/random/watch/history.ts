import * as fc from 'fast-check';
import { day, hour, minute, Runner, second, World, type Habits, type ModelTask } from './model';

/** Random histories of tasks, polls, failures, restarts and edits, and what the trigger must do with them. */

/** How many of them a test run plays. */
export const usualHistories = 3_000;

/** How far clocks may disagree, or how late a task may be listed, in these histories, in milliseconds. */
const skewMs = 2 * minute;
/** What the documentation says about ends before the activation. */
const marginMs = 10 * minute;
const farAhead = 5 * hour;

const skew = fc.oneof(fc.constant(0), fc.integer({ min: -skewMs, max: skewMs }));
type Event = ModelTask['outcome'];

const taskShape = fc.record({
	/** Milliseconds from creation to end. */
	runs: fc.oneof(
		fc.integer({ min: 0, max: 20 * minute }),
		fc.integer({ min: 0, max: 3 * hour }),
		fc.integer({ min: 0, max: 3 * day }),
	),
	outcome: fc.constantFrom<Event>('succeed', 'failed'),
	// A server with a wrong date.
	createdSkew: fc.oneof(
		{ weight: 9, arbitrary: skew },
		{ weight: 1, arbitrary: fc.constant(farAhead) },
	),
	updatedSkew: skew,
	lag: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: skewMs })),
	dates: fc.constantFrom<ModelTask['dates']>(
		'both',
		'both',
		'both',
		'both',
		'updated',
		'created',
		'none',
	),
	prefix: fc.constantFrom('', '', 'other-'),
	/** Milliseconds from its end until the provider changes its date. */
	touched: fc.oneof(
		{ weight: 5, arbitrary: fc.constant(Infinity) },
		{ weight: 1, arbitrary: fc.integer({ min: 0, max: 2 * day }) },
	),
	/** Milliseconds from one task of a burst to the next. */
	gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 * second })),
});
type Shape = typeof taskShape extends fc.Arbitrary<infer T> ? T : never;

interface PlayHabits extends Habits {
	isFullyDated: boolean;
	isWronglyDated: boolean;
	requests: number;
	silence: number;
	isDurable: boolean;
}

const habits: fc.Arbitrary<PlayHabits> = fc.record({
	order: fc.constantFrom<Habits['order']>(
		'newest',
		'newest',
		'newestStamp',
		'oldest',
		'random',
		'updated',
		'grouped',
	),
	largestPage: fc.constantFrom(20, 20, 20, 21, 25, 40, 100, 500),
	cap: fc.constantFrom(Infinity, Infinity, Infinity, 7, 15, 60),
	skipsWhatItCuts: fc.boolean(),
	doubles: fc.constantFrom(false, false, true),
	createdGrain: fc.constantFrom(1, second, minute),
	updatedGrain: fc.constantFrom(1, second),
	namesTime: fc.constantFrom(true, true, true, false),
	servers: fc.oneof(fc.constant<number[]>([0]), fc.array(skew, { minLength: 1, maxLength: 4 })),
	staleness: fc.constantFrom(0, 0, minute, skewMs),
	failures: fc.constantFrom(0, 0, 3),
	clockAhead: fc.constantFrom(0, 0, 0, hour),
	/** How many of 100 failures come without any response. */
	silence: fc.constantFrom(0, 50, 100),
	/** Whether n8n keeps cursors durably. */
	isDurable: fc.constantFrom(false, false, true),
	/** How many requests a poll has time for: the provider can be slow. */
	requests: fc.constantFrom(Infinity, Infinity, Infinity, 3),
	/** Whether every task has both dates, as Kling's have. */
	isFullyDated: fc.constantFrom(true, true, false),
	/** Whether one of its servers has a wrong date: such a list is never newest first. */
	isWronglyDated: fc.constantFrom(false, false, false, true),
});

const bursts = fc.oneof(
	{ weight: 4, arbitrary: fc.array(taskShape, { minLength: 1, maxLength: 5 }) },
	{ weight: 1, arbitrary: fc.array(taskShape, { minLength: 20, maxLength: 60 }) },
);

const pollStep = fc.record({
	do: fc.constant('poll' as const),
	/** Whether all later requests fail too. */
	isOutage: fc.boolean(),
	/** The request that fails; none when 0. */
	fails: fc.oneof(
		{ weight: 4, arbitrary: fc.constant(0) },
		{ weight: 1, arbitrary: fc.integer({ min: 1, max: 7 }) },
	),
	requests: fc.oneof(
		{ weight: 4, arbitrary: fc.constant(Infinity) },
		{ weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
	),
	/** What is created after a request of the poll. */
	during: fc.option(
		fc.record({
			request: fc.integer({ min: 1, max: 6 }),
			shapes: fc.array(taskShape, { minLength: 1, maxLength: 15 }),
		}),
		{ freq: 4 },
	),
	vanishes: fc.option(fc.record({ request: fc.integer({ min: 2, max: 6 }), which: fc.nat() }), {
		freq: 4,
	}),
	/** What happens during one of its requests. */
	meanwhile: fc.option(
		fc.record({ request: fc.integer({ min: 1, max: 4 }), does: fc.constantFrom('poll', 'save') }),
		{ freq: 6 },
	),
});

const step = fc.oneof(
	{ weight: 6, arbitrary: pollStep },
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), shapes: bursts }) },
	{
		weight: 3,
		arbitrary: fc.record({
			do: fc.constant('wait' as const),
			ms: fc.oneof(
				fc.constant(minute),
				fc.integer({ min: second, max: hour }),
				fc.integer({ min: hour, max: 2 * day }),
			),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({ do: fc.constant('restart' as const), isSaved: fc.boolean() }),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			do: fc.constant('setClock' as const),
			ahead: fc.oneof(skew, fc.constantFrom(-farAhead, hour)),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('vanish' as const), which: fc.nat() }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('edit' as const) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('save' as const) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

export const history = fc.record({
	habits,
	seed: fc.integer(),
	past: fc.oneof(
		// All at once, and one of old: their order says little.
		fc
			.tuple(taskShape, fc.integer({ min: 18, max: 60 }), fc.integer({ min: 0, max: 10 * minute }))
			.map(([shape, count, age]) => [
				{ shape, age: age + 3 * hour },
				...Array.from({ length: count }, () => ({ shape: { ...shape, runs: 0 }, age })),
			]),
		// A busy day: running tasks fill several pages.
		fc.array(fc.record({ shape: taskShape, age: fc.integer({ min: 0, max: 20 * hour }) }), {
			minLength: 50,
			maxLength: 90,
		}),
		fc.array(
			fc.record({
				shape: taskShape,
				age: fc.oneof(fc.integer({ min: 0, max: hour }), fc.integer({ min: 0, max: 6 * day })),
			}),
			{ maxLength: 90 },
		),
	),
	events: fc.constantFrom<Event[]>(
		['succeed', 'failed'],
		['succeed', 'failed'],
		['succeed'],
		['failed'],
	),
	/** What Trigger On is changed to, once. */
	eventsAfter: fc.constantFrom<Event[]>(['succeed', 'failed'], ['succeed', 'failed'], ['succeed']),
	prefix: fc.constantFrom(undefined, undefined, 'other-'),
	activationRequests: fc.oneof(
		{ weight: 3, arbitrary: fc.constant(Infinity) },
		{ weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
	),
	steps: fc.array(step, { maxLength: 30 }),
});
export type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

function random(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}

/** Plays a history. */
export class Play {
	readonly world: World;
	readonly runner: Runner;
	/** Completed polls since a task slipped across a page break. */
	private wholePolls = 2;
	private nextIsActivation = true;
	private isEdited = false;
	/** Whether this n8n process has polled under the node's current name. */
	private isNameKnown = false;
	/** Whether it has not polled under its new name yet. */
	private isRenaming = false;

	/** When the first complete poll ended since n8n loaded what it saved. */
	private firstWholeAt = Infinity;
	/** The longest time the world has gone without a poll. */
	private longestPause = 0;
	private polledAt: number;

	constructor(private readonly history: History) {
		// A wrong clock requires correct dates, and tasks that are listed at once.
		const { clockAhead, staleness } = history.habits;
		const habits = { ...history.habits, staleness: clockAhead > 0 ? 0 : staleness };
		this.world = new World(habits, random(history.seed));
		const { isDurable, silence } = history.habits;
		this.runner = new Runner(this.world, [...history.events], history.prefix, isDurable);
		const chance = random(history.seed + 1);
		this.world.isSilent = () => chance() * 100 < silence;
		this.polledAt = this.world.now;
		for (const { shape, age } of history.past) this.addPast(shape, age);
	}

	private fields(shape: Shape): Partial<ModelTask> {
		const { runs: _runs, gap: _gap, touched: _touched, ...fields } = shape;
		const { isFullyDated, isWronglyDated, clockAhead } = this.history.habits;
		const isFarAhead = shape.createdSkew === farAhead;
		if (clockAhead > 0 || (isFarAhead && !isWronglyDated)) fields.createdSkew = 0;
		if (clockAhead > 0) fields.lag = 0;
		return { ...fields, dates: isFullyDated ? 'both' : shape.dates };
	}

	private add(shape: Shape, createdAt: number, runs: number): void {
		const fields = this.fields(shape);
		const endsAt = createdAt + runs;
		// Without a creation time, a task whose date changes is a new one.
		const touched = fields.dates === 'updated' ? Infinity : shape.touched;
		this.world.add({ ...fields, createdAt, endsAt, touchedAt: endsAt + touched });
	}

	private addPast(shape: Shape, age: number): void {
		const createdAt = this.world.now - age - shape.lag;
		// What runs at activation was created within the reach of the first pass.
		const runs = age > 20 * hour ? Math.min(shape.runs, age) : shape.runs;
		this.add(shape, createdAt, runs);
	}

	private create(shapes: Shape[]): void {
		for (const shape of shapes) {
			this.world.now += shape.gap;
			this.add(shape, this.world.now, shape.runs);
		}
	}

	async run(): Promise<void> {
		await this.poll({ requests: this.history.activationRequests });
		this.world.now += second;
		for (const each of this.history.steps) await this.take(each);
		await this.comeToRest();
	}

	private async take(each: Step): Promise<void> {
		const { world, runner } = this;
		if (each.do === 'create') return this.create(each.shapes);
		if (each.do === 'wait') return void (world.now += each.ms);
		if (each.do === 'vanish') return this.vanish(each.which);
		if (each.do === 'setClock') {
			// If responses have no time, n8n's clock is all there is.
			const isTold = this.history.habits.namesTime;
			return void (world.n8nAhead = isTold ? each.ahead : each.ahead % skewMs);
		}
		if (each.do === 'save') return this.save();
		if (each.do === 'rename') return this.rename();
		if (each.do === 'restart') {
			// What n8n has not saved by then is lost, as documented.
			if (this.isRenaming || !runner.isSaved) return;
			runner.restart();
			this.firstWholeAt = Infinity;
			this.isNameKnown = false;
			// n8n saves after the activation caused by an edit, whether or not it falls in between.
			this.nextIsActivation ||= each.isSaved;
			return;
		}
		if (each.do === 'edit') {
			// Until the first poll of the new version, the old one continues.
			if (this.isEdited || runner.activatedAt === Infinity) return;
			this.isEdited = true;
			runner.switchTo([...this.history.eventsAfter]);
			return this.activate();
		}
		await this.poll(each);
	}

	/** n8n continues with an edited workflow: at once, unless polls are separate jobs. */
	private activate(): void {
		this.firstWholeAt = Infinity;
		this.nextIsActivation ||= !this.history.habits.isDurable;
	}

	private save(): void {
		if (this.runner.activatedAt === Infinity) return;
		this.runner.edit();
		this.activate();
	}

	/** Back to the old name only in the same process: no other knows what came in between. */
	private rename(): void {
		if (!this.isNameKnown) return;
		this.isNameKnown = false;
		this.isRenaming = !this.history.habits.isDurable;
		this.runner.rename();
		this.activate();
	}

	private async meanwhile(does: string): Promise<void> {
		const { world, runner } = this;
		const { requests, rows, before, fails, meanwhile, onResponse } = world;
		const calm = { before: () => undefined, fails: () => false, meanwhile: async () => undefined };
		Object.assign(world, calm);
		if (does === 'save') this.save();
		await runner.poll({ isActivation: this.nextIsActivation });
		Object.assign(world, { requests, rows, before, fails, meanwhile, onResponse });
	}

	private async poll({
		fails = 0,
		isOutage = false,
		requests = Infinity,
		during = null,
		vanishes = null,
		meanwhile = null,
	}: Partial<Extract<Step, { do: 'poll' }>>): Promise<void> {
		const { world, runner } = this;
		world.fails = (request) => fails > 0 && (isOutage ? request >= fails : request === fails);
		world.before = (request) => {
			if (during?.request === request) this.create(during.shapes);
			if (vanishes?.request === request) this.vanish(vanishes.which);
		};
		world.meanwhile = async (request) => {
			if (meanwhile?.request === request) await this.meanwhile(meanwhile.does);
		};
		this.longestPause = Math.max(this.longestPause, world.now - this.polledAt);
		const failuresBefore = runner.failures;
		const { requests: usual } = this.history.habits;
		const most = Math.min(requests, usual);
		await runner.poll({ requests: most, isActivation: this.nextIsActivation });
		this.polledAt = world.now;
		if (runner.state !== null) this.nextIsActivation = false;
		this.isNameKnown = runner.state !== null;
		if (runner.failures === failuresBefore) this.isRenaming = false;
		if (most === Infinity && runner.failures === failuresBefore) {
			this.wholePolls++;
			this.firstWholeAt = Math.min(this.firstWholeAt, world.now);
		}
		this.pass();
	}

	private pass(): void {
		this.world.fails = () => false;
		this.world.before = () => undefined;
		this.world.meanwhile = async () => undefined;
		this.world.now += minute;
	}

	/**
	 * A vanishing task lets another one slip to the previous page; twice for the same task would be too
	 * much.
	 */
	private vanish(which: number): void {
		const { world } = this;
		if (world.tasks.length === 0 || this.wholePolls < 3) return;
		this.wholePolls = 0;
		const task = world.tasks[which % world.tasks.length];
		task.vanishedAt = Math.min(task.vanishedAt, world.now);
	}

	private async comeToRest(): Promise<void> {
		const { world, runner } = this;
		const { requests } = this.history.habits;
		world.habits.failures = 0;
		this.pass();
		await runner.poll({ requests, isActivation: this.nextIsActivation });
		world.now += 4 * day;
		for (let polls = 0, quiet = 0; quiet < 5 && polls < 200; polls++) {
			const emitted = await runner.poll({ requests });
			const isQuiet = emitted.length === 0 && runner.open.length === 0 && !runner.state?.pass;
			quiet = isQuiet ? quiet + 1 : 0;
			world.now += 4 * minute;
		}
	}

	/** What is wrong; empty if all is right. */
	judge(): string[] {
		const { world, runner } = this;
		const times = new Map<string, number>();
		for (const id of runner.emitted) times.set(id, (times.get(id) ?? 0) + 1);
		const wrong: string[] = [];
		for (const task of world.tasks) {
			const emitted = times.get(task.id) ?? 0;
			const [least, most] = this.expected(task);
			if (emitted < least || emitted > most) {
				wrong.push(`${task.id} was emitted ${emitted} times instead of ${least} to ${most}`);
			}
		}
		const remembered = this.mostRemembered;
		if (runner.remembered > remembered && !this.isMistaken)
			wrong.push(`${runner.remembered} tasks are remembered instead of ${remembered} at most`);
		return wrong;
	}

	/** How many tasks it may remember in the end: the newest ones, and those without a creation date. */
	private get mostRemembered(): number {
		const { tasks } = this.world;
		const isDated = ({ dates, vanishedAt }: ModelTask) =>
			(dates === 'both' || dates === 'created') && vanishedAt === Infinity;
		const newest = Math.max(...tasks.filter(isDated).map(({ createdAt }) => createdAt));
		const isKept = ({ createdAt, createdSkew, dates }: ModelTask) =>
			createdAt > newest - marginMs || createdSkew === farAhead || dates !== 'both';
		return tasks.filter(isKept).length;
	}

	private expected(task: ModelTask): [least: number, most: number] {
		const { history, runner } = this;
		const { outcome, endsAt } = task;
		if (!task.prefix.startsWith(history.prefix ?? '')) return [0, 0];
		const isWantedFirst = history.events.includes(outcome);
		const isSwitched = this.isEdited && runner.switchedAt > 0;
		const isWantedLast = isSwitched ? history.eventsAfter.includes(outcome) : isWantedFirst;
		if (!isWantedFirst && !isWantedLast) return [0, 0];
		const from = isWantedFirst ? runner.activatedAt : runner.switchedAt;
		if (!isWantedLast && endsAt > runner.switchedAt) return [0, 0];
		const pastUntil = isWantedFirst ? runner.activatedAt : runner.switchedSince;
		return [this.isSure(task, from) && isWantedLast ? 1 : 0, this.isPast(task, pastUntil) ? 0 : 1];
	}

	/** Whether a grouped list looked newest first on all pages that were read: docs/trigger.md. */
	private get isMistaken(): boolean {
		return this.history.habits.order === 'grouped' && this.runner.isTakenForNewest;
	}

	/** Whether the trigger has no excuse for not emitting it. */
	private isSure(task: ModelTask, since: number): boolean {
		const { endsAt, createdAt, vanishedAt, dates, lag } = task;
		if (this.isMistaken && !this.runner.followed.has(task.id)) return false;
		const from = since + this.history.habits.clockAhead;
		const isOld = createdAt < this.runner.activatedAt - 22 * hour || this.longestPause > 20 * day;
		if (vanishedAt !== Infinity || endsAt <= from || isOld) return false;
		if (dates === 'both' || dates === 'updated') return true;
		// Without end dates, an end before the task was seen running may count as earlier.
		if (since === this.runner.activatedAt && this.isInFirstResponse({ createdAt, lag }))
			return true;
		if (dates === 'created') return createdAt > from;
		// Without any date, only tasks that appear after a first reading are certainly new.
		return createdAt > Math.max(from, this.firstWholeAt);
	}

	/** Whether the first response definitely showed the task, even if it vanished later. */
	private isInFirstResponse({ createdAt, lag }: Pick<ModelTask, 'createdAt' | 'lag'>): boolean {
		const { staleness, largestPage, cap } = this.history.habits;
		const { activatedAt, tasksAtActivation } = this.runner;
		const isWhole = tasksAtActivation <= Math.min(largestPage, cap);
		return isWhole && createdAt + lag < activatedAt - staleness;
	}

	/** Whether it definitely ended before, in a way that the trigger can see. */
	private isPast(task: ModelTask, from: number): boolean {
		const { endsAt, dates, createdAt, lag } = task;
		const longBefore = from - marginMs - 2 * skewMs - second;
		// An end dated before the creation says nothing.
		const isOdd = endsAt + task.updatedSkew <= createdAt + task.createdSkew + minute;
		// If its date changes, only the first response may have shown it as ended before.
		const isTouched = task.touchedAt < Infinity && !this.isInFirstResponse(task);
		if ((dates === 'both' && !isOdd) || dates === 'updated')
			return endsAt < longBefore && !isTouched;
		// Without a date, it is known to be earlier if the activation showed it that way.
		const { staleness } = this.history.habits;
		const shownUntil = from - staleness - minute;
		if (from !== this.runner.activatedAt || endsAt > shownUntil) return false;
		if (dates === 'created' && task.createdSkew !== farAhead && createdAt < longBefore) return true;
		// If servers lag behind, both passes of the first reading may miss one.
		if (dates === 'none' && staleness === 0 && createdAt + lag < shownUntil) return true;
		return this.isInFirstResponse(task);
	}
}
