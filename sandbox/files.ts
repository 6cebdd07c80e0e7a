import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Task } from './tasks';
import type { Fault, ProviderName } from './types';
import { cut, pause, sendBuffer } from './wire';

const chunkBytes = 64 * 1024;
const slowChunkBytes = 1024;

/** A finished video as providers show it. */
export interface Video {
	id: string;
	url: string;
	watermarkUrl: string;
	/** Seconds, as text: Kling's `duration` is a string. */
	duration: string;
}

/** The videos of a task that has succeeded. */
export function videosOf(task: Task, sandboxUrl: string): Video[] {
	const size = task.megabytes > 0 ? `?megabytes=${task.megabytes}` : '';
	return Array.from({ length: task.videoCount }, (_, index) => {
		const stem = `${sandboxUrl}/files/${task.provider}/${task.taskId}-${index + 1}`;
		return {
			id: `${task.taskId}-${index + 1}`,
			url: `${stem}.mp4${size}`,
			watermarkUrl: `${stem}-watermark.mp4${size}`,
			duration: String(task.videoSeconds),
		};
	});
}

/** The provider whose storage a file path belongs to; null for files of none (`/files/big.mp4`). */
export function ownerOfFile(path: string): ProviderName | null {
	const owner = /^\/files\/([A-Za-z]+)\/[^/]+$/.exec(path)?.[1];
	return owner ?? null;
}

/** The task whose video a file path is; an empty text for files of none. */
export function taskOfFile(path: string): string {
	return /^\/files\/[A-Za-z]+\/(.+)-\d+(?:-watermark)?\.mp4$/.exec(path)?.[1] ?? '';
}

/** A file that exists only as a description: the clip, then a `free` box of zeros up to its size. */
class VideoFile {
	readonly size: number;
	readonly etag: string;
	readonly #head: Buffer;

	constructor(clip: Buffer, megabytes: number) {
		const wanted = Math.round(megabytes * 1024 * 1024);
		const padding = wanted - clip.length;
		this.#head = padding >= 16 ? Buffer.concat([clip, freeBoxHeader(padding)]) : clip;
		this.size = padding >= 16 ? wanted : clip.length;
		this.etag = `"${createHash('sha1').update(clip).update(String(this.size)).digest('hex')}"`;
	}

	/** The bytes from `start` up to, but not including, `end`. */
	read(start: number, end: number): Buffer {
		const bytes = Buffer.alloc(end - start);
		if (start < this.#head.length) this.#head.copy(bytes, 0, start, end);
		return bytes;
	}
}

function freeBoxHeader(size: number): Buffer {
	const header = Buffer.alloc(16);
	// Size 1 announces a 64-bit size after the type, so that any file size fits.
	header.writeUInt32BE(1, 0);
	header.write('free', 4, 'latin1');
	header.writeBigUInt64BE(BigInt(size), 8);
	return header;
}

/** How a fault changes a download. */
export type DownloadFault = Pick<Fault, 'kind' | 'status' | 'delayMs'>;

/** Serves `/files/….mp4`, which is `clip`, whole or in part; `?megabytes=N` makes a valid video of that size. */
export async function sendFile(
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
	clip: Buffer,
	fault?: DownloadFault,
): Promise<void> {
	if (fault?.kind === 'expired') return sendExpired(response, fault.status ?? 403);
	if (!url.pathname.endsWith('.mp4')) return sendExpired(response, 404);
	const file = new VideoFile(clip, Number(url.searchParams.get('megabytes') ?? 0) || 0);
	const range = parseRange(request.headers.range, file.size);
	if (range === 'unsatisfiable') {
		response.setHeader('content-range', `bytes */${file.size}`);
		return sendBuffer(response, 416, 'text/plain', Buffer.alloc(0));
	}
	const { start, end } = range ?? { start: 0, end: file.size };
	response.writeHead(range ? 206 : 200, {
		'content-type': 'video/mp4',
		'content-length': end - start,
		'accept-ranges': 'bytes',
		etag: file.etag,
		...(range ? { 'content-range': `bytes ${start}-${end - 1}/${file.size}` } : {}),
	});
	if (request.method === 'HEAD') return void response.end();
	await stream(response, file, start, end, fault);
}

async function stream(
	response: ServerResponse,
	file: VideoFile,
	start: number,
	end: number,
	fault?: DownloadFault,
): Promise<void> {
	const isTruncated = fault?.kind === 'truncated';
	const chunk = fault?.kind === 'slow' ? slowChunkBytes : chunkBytes;
	const stop = isTruncated ? start + Math.floor((end - start) / 2) : end;
	for (let at = start; at < stop && !response.destroyed; at += chunk) {
		if (fault?.kind === 'slow') await pause(fault.delayMs ?? 100);
		await write(response, file.read(at, Math.min(at + chunk, stop)));
	}
	if (isTruncated) return cut(response);
	response.end();
}

/** Writes, and waits while the receiver is slower than we are. */
async function write(response: ServerResponse, bytes: Buffer): Promise<void> {
	if (response.destroyed || response.write(bytes)) return;
	await new Promise<void>((resolve) => {
		const done = () => {
			response.off('drain', done).off('close', done);
			resolve();
		};
		response.once('drain', done).once('close', done);
	});
}

/** Ranges of one part as RFC 9110 has them; undefined for none, and for those it lets us ignore. */
function parseRange(
	header: string | undefined,
	size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
	const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
	if (!match || (match[1] === '' && match[2] === '')) return undefined;
	const isSuffix = match[1] === '';
	const start = isSuffix ? Math.max(0, size - Number(match[2])) : Number(match[1]);
	const end = isSuffix || match[2] === '' ? size : Math.min(size, Number(match[2]) + 1);
	return start < end ? { start, end } : 'unsatisfiable';
}

/** What S3-like storage says about an expired link. */
function sendExpired(response: ServerResponse, status: number): void {
	const code = status === 404 ? 'NoSuchKey' : 'AccessDenied';
	const message = status === 404 ? 'The specified key does not exist.' : 'Request has expired';
	const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
	sendBuffer(response, status, 'application/xml', Buffer.from(xml));
}
