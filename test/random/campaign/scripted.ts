import { parseJson } from '../../../nodes/kling/http';
import { failureWithoutResponse, type Failure } from '../../../nodes/kling/failure';
import type { ApiRequest, HttpResponse } from '../../../nodes/kling/http';
import { Client } from '../../../nodes/kling/client';
import { providerNamed } from '../../fixtures/providers';
import type { ProviderName } from '../../../nodes/kling/task';
import { RunningClock } from '../../harness/steppedClock';

/** A response as a provider gives it: JSON, or plain text. */
export function answer(
	status: number,
	body: unknown,
	headers: Record<string, string> = {},
): HttpResponse {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	return { kind: 'response', status, headers, text, at: 1_795_000_000_000, json: parseJson(text) };
}

export const lost = failureWithoutResponse('noResponse');
export const unreachable = failureWithoutResponse('unreachable');
export const cancelled = failureWithoutResponse('cancelled');

/** Kling's response with a task. */
export function task(taskId: string, status = 'submitted', more: Record<string, unknown> = {}) {
	return answer(200, {
		code: 0,
		message: 'SUCCEED',
		data: { task_id: taskId, task_status: status, ...more },
	});
}

export function list(...tasks: Array<[taskId: string, status: string]>): HttpResponse {
	const data = tasks.map(([task_id, task_status]) => ({ task_id, task_status }));
	return answer(200, { code: 0, message: 'SUCCEED', data });
}

/** Kling's refusal with the HTTP status that goes with the code (docs/providers.md 1.7). */
export function refusal(code: number, headers: Record<string, string> = {}): HttpResponse {
	const status =
		code < 1100
			? 401
			: [1100, 1101, 1102, 1302, 1303, 1304].includes(code)
				? 429
				: code === 1203
					? 404
					: code >= 5000
						? 500
						: 400;
	return answer(status, { code, message: `code ${code}`, request_id: `request-${code}` }, headers);
}

export const notFound = refusal(1203);
export const duplicate = answer(400, {
	code: 1201,
	message: 'external_task_id is duplicated',
	request_id: 'request-dup',
});

export type HttpResult = HttpResponse | Failure;
type Script = HttpResult[] | ((request: ApiRequest) => HttpResult | Promise<HttpResult>);

export interface Sent {
	method: string;
	path: string;
	/** Milliseconds since the script began. */
	at: number;
	request: ApiRequest;
}

interface Setting {
	provider?: ProviderName;
	random?: () => number;
	signal?: AbortSignal;
}

/** A provider that responds from a script, on a virtual clock. The last reply of a list repeats. */
export function scripted(
	script: { posts?: Script; gets?: Script; latencyMs?: number },
	{ provider = 'kling', random = () => 0.5, signal }: Setting = {},
) {
	const clock = new RunningClock(random);
	const start = clock.now();
	const sent: Sent[] = [];
	const next = async (request: ApiRequest, replies: Script | undefined): Promise<HttpResult> => {
		if (typeof replies === 'function') return await replies(request);
		if (!replies?.length)
			throw new Error(`Nothing is scripted for ${request.method} ${request.path}`);
		return replies.length > 1 ? (replies.shift() as HttpResult) : replies[0];
	};
	const send = async (request: ApiRequest): Promise<HttpResult> => {
		sent.push({ method: request.method, path: request.path, at: clock.now() - start, request });
		await clock.sleep(script.latencyMs ?? 0, signal);
		return await next(request, request.method === 'POST' ? script.posts : script.gets);
	};
	const client = new Client(providerNamed(provider), send, clock, signal);
	const at = (method: string) => sent.filter((one) => one.method === method).map((one) => one.at);
	return { clock, start, client, sent, posts: () => at('POST'), gets: () => at('GET'), signal };
}
