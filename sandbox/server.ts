import type { IncomingMessage, ServerResponse } from 'node:http';

import { deliver } from './delivery';
import { ownerOfFile, sendFile, taskOfFile } from './files';
import type { Provider, Call, Route } from './providers/provider';
import { Refusal } from './refusal';
import { findSample, sampleFolder } from './samples';
import type { State } from './state';
import type { Fault, RequestRecord } from './types';
import { answer, pause, readBody, send, sendBuffer, type Answer } from './wire';

/** The limit of Modellix's own client (docs/providers.md section 4); the others state none. */
const maxBody = 64 * 1024 * 1024;
const maxRecords = 200_000;
const maxRecordedText = 100_000;

/** Answers one request to anything but the controls. */
export async function serve(
	state: State,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	if (url.pathname.startsWith(sampleFolder)) {
		return await serveSample(state, request, response, url);
	}
	if (url.pathname.startsWith('/files/')) return await serveFile(state, request, response, url);
	const place = findMount(state, url.pathname);
	if (place) return await serveApi(state, place, request, response, url);
	send(response, answer(404, { message: 'No provider answers here; see /_sandbox/state' }));
}

type Place = { provider: Provider } & Provider['mounts'][number];

function findMount(state: State, path: string): Place | undefined {
	return state.mounts.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
}

async function serveApi(
	state: State,
	{ provider, prefix, region }: Place,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	const path = url.pathname.slice(prefix.length);
	const method = request.method ?? 'GET';
	const route = provider.routes.find(
		(one) => one.method === method && one.path.test(path) && (one.exists?.(state.options) ?? true),
	);
	const raw = await readBody(request, maxBody);
	const { json, recorded } = readJson(raw?.toString('utf8') ?? '');
	const record = remember(state, request, {
		provider: provider.name,
		operation: route?.operation ?? null,
		body: recorded,
	});
	const call: Call = {
		provider: provider.name,
		method,
		path,
		query: url.searchParams,
		headers: request.headers,
		body: json,
		region,
		params: [],
	};
	await deliver({
		response,
		record,
		fault: state.faults.take(record),
		latencyMs: state.options.latencyMs,
		process: async () => {
			if (raw === undefined) return answer(413, 'Request Entity Too Large');
			const { numericIds } = state.options;
			return { ...(await respond(state, provider, route, call)), numericIds };
		},
		refuse: (code, message) => provider.refuse(code, state, message),
	});
}

/** Runs a call through its provider: key, rights, rate, then the route itself. */
async function respond(
	state: State,
	provider: Provider,
	route: Route | undefined,
	call: Call,
): Promise<Answer> {
	try {
		if (!route) return provider.unknownRoute(call, state);
		call.params = paramsOf(route, call.path);
		if (!route.isPublic) call.caller = provider.authenticate(call, state);
		checkRights(route, call);
		checkRate(state, provider, call);
		return await route.answer(call, state);
	} catch (error) {
		if (error instanceof Refusal) return provider.refuse(error.code, state, error.detail);
		throw error;
	}
}

function paramsOf(route: Route, path: string): string[] {
	try {
		return (route.path.exec(path) ?? []).slice(1).map(decodeURIComponent);
	} catch {
		throw new Refusal(1201, 'The path is not well encoded');
	}
}

function checkRights({ operation }: Route, { caller }: Call): void {
	const isEffects = ['create', 'get', 'list'].includes(operation);
	if (isEffects && caller?.keyName === 'noRights') throw new Refusal(1103);
}

function checkRate(state: State, { name }: Provider, { region }: Call): void {
	const { requestsPerSecond } = state.options;
	if (requestsPerSecond === undefined) return;
	if (!state.limiter.admits(`${name}:${region}`, requestsPerSecond)) throw new Refusal(1302);
}

/** Downloads need no key; one that is sent along shows up in the record. */
async function serveFile(
	state: State,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	const record = remember(state, request, {
		provider: ownerOfFile(url.pathname),
		operation: 'download',
		body: undefined,
	});
	response.once('close', () => {
		record.status = response.headersSent ? response.statusCode : 0;
	});
	const fault = state.faults.take(record);
	if (fault && !isFileFault(fault)) {
		const refuse = () => answer(fault.status ?? 500, 'Internal Server Error');
		const process = async () => answer(200, '');
		return await deliver({ response, record, fault, latencyMs: 0, process, refuse });
	}
	if (fault?.kind === 'delay') await pause(fault.delayMs ?? 0);
	const clip = await state.clips.ofTask(taskOfFile(url.pathname));
	await sendFile(request, response, url, clip, fault);
}

function isFileFault(fault: Fault): boolean {
	return ['truncated', 'expired', 'slow', 'delay'].includes(fault.kind);
}

async function serveSample(
	state: State,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	const record = remember(state, request, { provider: null, operation: null, body: undefined });
	const sample = await findSample(url.pathname.slice(sampleFolder.length));
	record.status = sample ? 200 : 404;
	if (sample) return sendBuffer(response, 200, sample.type, sample.bytes);
	send(response, answer(404, 'There is no such image'));
}

function remember(
	state: State,
	request: IncomingMessage,
	fields: Pick<RequestRecord, 'provider' | 'operation' | 'body'>,
): RequestRecord {
	const record: RequestRecord = {
		...fields,
		method: request.method ?? 'GET',
		path: request.url ?? '/',
		headers: request.headers,
		status: 0,
		at: state.options.now(),
	};
	// Dropping many at once keeps a full log from moving all its entries for each request.
	if (state.requests.length >= maxRecords) state.requests.splice(0, maxRecords / 10);
	state.requests.push(record);
	return record;
}

function readJson(text: string): { json: unknown; recorded: unknown } {
	if (text === '') return { json: undefined, recorded: undefined };
	try {
		const json: unknown = JSON.parse(text);
		if (text.length <= maxRecordedText) return { json, recorded: json };
		return { json, recorded: JSON.parse(text, (_key, value) => shorten(value)) };
	} catch {
		return { json: undefined, recorded: shorten(text) };
	}
}

function shorten(value: unknown): unknown {
	if (typeof value !== 'string' || value.length <= maxRecordedText) return value;
	// A copy: a slice would keep all of it in memory.
	const start = Buffer.from(value.slice(0, 200)).toString();
	return `${start}… (${value.length} characters)`;
}
