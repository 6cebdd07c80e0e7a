import { withVersion } from '../nodes/kling/account';
import { outcomeOfCreate, outcomeOfRead } from '../nodes/kling/outcome';
import { asObject, type ApiRequest, type HttpResponse } from '../nodes/kling/http';
import { parseJson } from '../nodes/kling/http';
import type { Clock } from '../nodes/kling/clock';
import type { OrderWithImages, Provider, Secret } from '../nodes/kling/providers/provider';
import { isFinal, type TaskRecord } from '../nodes/kling/task';
import { describeExpectation, describeObserved, differences, type Observed } from './compare';
import { fillIn, type Ask, type KeyUse, type Probe, type RunValues } from './probe';
import { withoutPrivate, withoutSecrets, type Recording } from './recording';

/** Milliseconds between two requests, and between two looks at a task that is followed. */
export const pauseMs = 1_000;
export const followMs = 10_000;

export interface Setting {
	provider: Provider;
	/** Without a trailing slash. */
	baseUrl: string;
	/** The key, and for providers that sign also an access key with its secret, where there are such. */
	secrets: { key?: Secret; signed?: Secret };
	probes: readonly Probe[];
	/** Tasks that may be made at most. */
	spend: number;
	scene: string;
	/** A picture that the provider can read: a URL, or bare base64. */
	image: string;
	/** Minutes that a task is followed at most. */
	followMinutes: number;
	clock: Pick<Clock, 'now' | 'sleep'>;
	/** Sends one request, follows no redirect, takes any status. */
	send(url: string, request: ApiRequest, headers: Record<string, string>): Promise<RawResponse>;
	/** Told of each probe as it ends. */
	onResult?(result: Result): void;
}

export interface RawResponse {
	status: number;
	/** Lower-case names. */
	headers: Record<string, string>;
	text: string;
}

export interface Result {
	probe: Probe;
	verdict: 'same' | 'different' | 'not asked';
	expected: string;
	observed: string;
	recording?: Recording;
}

/** Which of the probes that can cost a task a run asks, given how many tasks it may make. */
export function affordable(probes: readonly Probe[], spend: number): Probe[] {
	return probes.filter(({ cost }) => cost === 'task').slice(0, spend);
}

/** Asks one provider all that it is allowed to, politely, one request after the other. */
export async function runProbes(setting: Setting): Promise<Result[]> {
	return await new Run(setting).all();
}

/** Something that keeps a probe from being asked. */
class NotAsked extends Error {}

class Run {
	private readonly values: RunValues;
	/** Ids that this run made. */
	private readonly own = new Set<string>();
	private readonly paid: ReadonlySet<Probe>;
	private lastRequestAt = -Infinity;
	/** The free probe that made a task after all: from then on nothing is created. */
	private surprise: string | undefined;

	constructor(private readonly setting: Setting) {
		const stamp = setting.clock.now().toString(36);
		this.values = {
			unknownId: '100000000000000001',
			// Words that an adapter must not take for a refusal.
			unknownExternalId: `conformance-${stamp}-nonexistent-used`,
			externalId: `conformance-${stamp}-a`,
			failingExternalId: `conformance-${stamp}-b`,
		};
		for (const name of ['externalId', 'failingExternalId']) this.own.add(this.values[name]);
		this.paid = new Set(affordable(setting.probes, setting.spend));
	}

	async all(): Promise<Result[]> {
		const results: Result[] = [];
		for (const probe of this.setting.probes) {
			const result = await this.one(probe);
			this.setting.onResult?.(result);
			results.push(result);
		}
		return results;
	}

	private async one(probe: Probe): Promise<Result> {
		const expected = fillIn(describeExpectation(probe.expected), this.values);
		try {
			this.mustBeAllowed(probe);
			return { probe, expected, ...(await this.ask(probe)) };
		} catch (error) {
			if (error instanceof NotAsked) {
				return { probe, expected, verdict: 'not asked', observed: error.message };
			}
			const observed = this.clean(`no answer: ${(error as Error).message}`);
			return { probe, expected, verdict: 'different', observed };
		}
	}

	private mustBeAllowed(probe: Probe): void {
		const { cost, needs, ask, key } = probe;
		if (needs !== undefined && !this.values[needs]) throw new NotAsked('needs a task of this run');
		if (ask.kind === 'create' && this.surprise) {
			throw new NotAsked(`“${this.surprise}” made a task although it should not`);
		}
		const isSigned = key === 'signed' || key === 'early' || key === 'late';
		if (isSigned && !this.setting.secrets.signed) throw new NotAsked('needs an access key');
		if (cost === 'task' && !this.paid.has(probe)) {
			throw new NotAsked('costs a task: allow more with --spend');
		}
	}

	private async ask(probe: Probe): Promise<Omit<Result, 'probe' | 'expected'>> {
		const response = await this.responseTo(probe);
		const reads = this.reading(probe, response);
		const body = response.json === undefined ? response.text : response.json;
		const observed: Observed = { status: response.status, body, reads };
		const found = differences(probe.expected, observed, this.values);
		const more = probe.tell === 'listOrder' ? [orderOf(body)] : [];
		return {
			verdict: found.length === 0 ? 'same' : 'different',
			observed: this.clean([describeObserved(observed), ...more, ...found].join('; ')),
			recording: this.recordingOf(probe, observed),
		};
	}

	private async responseTo({ ask, key }: Probe): Promise<HttpResponse> {
		if (ask.kind === 'follow') return await this.follow(ask.id, key);
		const requests = this.requestsFor(ask);
		for (const request of requests.slice(0, -1)) {
			const response = await this.request(request, key);
			// As the package does it: only a 404 surely made no task.
			if (response.status !== 404) return response;
		}
		return await this.request(requests[requests.length - 1], key);
	}

	private async follow(id: string, key?: KeyUse): Promise<HttpResponse> {
		const { provider, clock, followMinutes } = this.setting;
		const deadline = clock.now() + followMinutes * 60_000;
		for (;;) {
			const [request] = this.requestsFor({ kind: 'get', id });
			const response = await this.request(request, key);
			const outcome = outcomeOfRead(provider, response, (body) => provider.readTask(body));
			const isOpen = outcome.ok && !isFinal(outcome.value.task.status);
			if (!isOpen || clock.now() >= deadline) return response;
			await clock.sleep(followMs);
		}
	}

	private requestsFor(ask: Exclude<Ask, { kind: 'follow' }>): ApiRequest[] {
		const { provider } = this.setting;
		const text = (value: string) => fillIn(value, this.values);
		switch (ask.kind) {
			case 'get':
				return [provider.getRequest(text(ask.id))];
			case 'find':
				return [mustHave(provider.findByExternalIdRequest)(text(ask.externalId))];
			case 'list':
				return [mustHave(provider.list).request(ask.page, ask.pageSize)];
			case 'check':
				return [{ method: 'GET', timeoutMs: 30_000, ...provider.check }];
			case 'path':
				return [{ method: 'GET', timeoutMs: 30_000, path: ask.path, query: ask.query }];
			case 'create': {
				const { change = (body) => body } = ask;
				return provider
					.createRequests(this.order(ask.order))
					.map((request) => ({ ...request, body: change(request.body ?? {}) }));
			}
		}
	}

	private order(given: Partial<OrderWithImages> = {}): OrderWithImages {
		const { scene, image } = this.setting;
		const { externalTaskId } = given;
		const id =
			externalTaskId === undefined ? {} : { externalTaskId: fillIn(externalTaskId, this.values) };
		return { effectScene: scene, images: [image], ...given, ...id };
	}

	private async request(request: ApiRequest, key?: KeyUse): Promise<HttpResponse> {
		const { clock, baseUrl, provider, send } = this.setting;
		const wait = this.lastRequestAt + pauseMs - clock.now();
		if (wait > 0) await clock.sleep(wait);
		this.lastRequestAt = clock.now();
		const query = new URLSearchParams(
			Object.entries(request.query ?? {}).map(([name, value]): [string, string] => [
				name,
				fillIn(String(value), { ...this.values, now: String(clock.now()) }),
			]),
		).toString();
		const url = `${withVersion(baseUrl, provider)}${request.path}${query && `?${query}`}`;
		const raw = await send(url, request, this.authorization(key));
		return { kind: 'response', ...raw, at: clock.now(), json: parseJson(raw.text) };
	}

	private authorization(key?: KeyUse): Record<string, string> {
		const { provider, secrets, clock } = this.setting;
		const now = clock.now();
		const usual = secrets.key ?? secrets.signed;
		switch (key) {
			case 'missing':
				return {};
			case 'wrong':
				return provider.authorize({ kind: 'key', key: 'conformance-wrong-key' }, now);
			case 'signed':
				return secrets.signed ? provider.authorize(secrets.signed, now) : {};
			case 'early':
				return secrets.signed ? provider.authorize(secrets.signed, now + 3_600_000) : {};
			case 'late':
				return secrets.signed ? provider.authorize(secrets.signed, now - 7_200_000) : {};
			default:
				return usual ? provider.authorize(usual, now) : {};
		}
	}

	/** What the package's adapter makes of an answer, in a word or two. */
	private reading({ ask, cost, fact }: Probe, response: HttpResponse): string {
		const { provider } = this.setting;
		if (ask.kind === 'check') return readingOfCheck(provider, response);
		if (ask.kind === 'create') {
			const created = outcomeOfCreate(provider, response);
			if (created.ok) this.keep(created.value, ask.keepAs);
			if (created.ok && cost === 'free') this.surprise = fact;
			return created.ok ? wordOfTask(created.value) : created.failure.kind;
		}
		const read = outcomeOfRead(provider, response, (body) => {
			if (ask.kind === 'path') return 'answered';
			if (ask.kind === 'list') return mustHave(provider.list).read(body) && 'list';
			const record = provider.readTask(body);
			return record && wordOfTask(record);
		});
		return read.ok ? read.value : read.failure.kind;
	}

	private keep({ task }: TaskRecord, name: string | undefined): void {
		this.own.add(task.taskId);
		if (name !== undefined) this.values[name] = task.taskId;
	}

	/** A provider may repeat a key in what it says, and what it says is shown. */
	private clean(text: string): string {
		return withoutSecrets(text, this.secretTexts());
	}

	private secretTexts(): string[] {
		return Object.values(this.setting.secrets).flatMap(textsOf);
	}

	private recordingOf({ fact, ask }: Probe, { status, body }: Observed): Recording {
		const { provider, clock } = this.setting;
		const isOfTasks = ask.kind !== 'check' && ask.kind !== 'path';
		const [{ method, path }] = this.requestsFor(
			ask.kind === 'follow' ? { kind: 'get', id: ask.id } : ask,
		);
		return {
			provider: provider.name,
			endpoint: `${method} ${path.replace(/(effects|tasks)\/[^/?]+$/, '$1/{id}')}`,
			situation: fact,
			httpStatus: status,
			body: withoutPrivate(body, this.secretTexts(), this.own),
			source: 'npm run conformance',
			observed: new Date(clock.now()).toISOString().slice(0, 10),
			confidence: isOfTasks ? 'O' : 'L',
		};
	}
}

function textsOf(secret: Secret): string[] {
	return secret.kind === 'key' ? [secret.key] : [secret.accessKey, secret.secretKey];
}

function mustHave<T>(part: T | undefined): T {
	if (part === undefined) throw new NotAsked('the provider has no such request');
	return part;
}

function wordOfTask({ task }: TaskRecord): string {
	return `task ${task.status}`;
}

/** As the credential test reads it: a refusal by a value in the body, else a `data` key. */
function readingOfCheck({ check }: Provider, { json }: HttpResponse): string {
	const at = (path: string) =>
		path.split('.').reduce<unknown>((value, key) => asObject(value)?.[key], json);
	if (check.refusals.some(({ key, value }) => at(key) === value)) return 'key refused';
	return at('data') === undefined ? 'no such answer' : 'key works';
}

function orderOf(body: unknown): string {
	const data = asObject(body)?.data;
	const times = (Array.isArray(data) ? data : []).map((one) => Number(asObject(one)?.created_at));
	if (times.length < 2) return 'order unknown: fewer than two tasks';
	const isSorted = (sign: number) =>
		times.every((time, index) => index === 0 || sign * (time - times[index - 1]) >= 0);
	return isSorted(-1) ? 'newest first' : isSorted(1) ? 'oldest first' : 'in no order of time';
}
