import type { IncomingMessage, ServerResponse } from 'node:http';

/** An answer before it is sent: text is sent as it is, anything else as JSON. */
export interface Answer {
	status: number;
	headers?: Record<string, string>;
	body: unknown;
	/** Whether ids of 16 and more digits are sent as numbers. */
	numericIds?: boolean;
}

/** A JSON answer. */
export function answer(status: number, body: unknown, headers?: Record<string, string>): Answer {
	return { status, body, headers };
}

/** A web page, as gateways answer outside of their API. */
export function htmlAnswer(status: number, title: string): Answer {
	const body = `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
	return { status, body, headers: { 'content-type': 'text/html; charset=utf-8' } };
}

/** Waits in real time; does not keep a process alive once its sandbox is closed. */
export async function pause(ms: number): Promise<void> {
	if (ms > 0) await new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
}

/** The body of a request, up to `limit` bytes; undefined if it is longer. */
export async function readBody(
	request: IncomingMessage,
	limit: number,
): Promise<Buffer | undefined> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size <= limit) chunks.push(chunk);
	}
	return size <= limit ? Buffer.concat(chunks) : undefined;
}

/** Sends an answer; with `cutAfter` the connection is cut after that share of its body. */
export function send(response: ServerResponse, message: Answer, cutAfter?: number): void {
	const isText = typeof message.body === 'string';
	const type = isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
	const bytes = Buffer.from(isText ? (message.body as string) : textOf(message));
	for (const [name, value] of Object.entries(message.headers ?? {})) {
		response.setHeader(name, value);
	}
	if (!response.hasHeader('content-type')) response.setHeader('content-type', type);
	if (cutAfter === undefined) return sendBuffer(response, message.status, undefined, bytes);
	response.writeHead(message.status, { 'content-length': bytes.length });
	response.write(bytes.subarray(0, Math.floor(bytes.length * cutAfter)));
	cut(response);
}

/** A body as JSON. */
export function textOf({ body, numericIds }: Answer): string {
	const text = JSON.stringify(body);
	return numericIds ? text.replace(/"((?:task_)?id)":"(\d{16,})"/gi, '"$1":$2') : text;
}

/** Sends bytes with their length. */
export function sendBuffer(
	response: ServerResponse,
	status: number,
	type: string | undefined,
	bytes: Buffer,
): void {
	if (response.destroyed) return;
	if (type) response.setHeader('content-type', type);
	response.writeHead(status, { 'content-length': bytes.length });
	response.end(bytes);
}

/** Cuts the connection once everything written has been sent. */
export function cut(response: ServerResponse): void {
	const { socket } = response;
	if (!socket || socket.destroyed) return;
	if (!response.headersSent) return void socket.destroy();
	// The callback of an empty write comes once everything before it was handed to the system.
	socket.write('', () => socket.destroy());
}
