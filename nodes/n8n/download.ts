import type {
	IBinaryData,
	IBinaryKeyData,
	IExecuteFunctions,
	IN8nHttpFullResponse,
	IWebhookFunctions,
} from 'n8n-workflow';
import { delayBeforeRetry } from '../kling/clock';
import { foreignTypeOf, imageTypeOf } from '../kling/image';
import { isPrivateAddress } from '../kling/privateAddress';
import type { Task, TaskRecord } from '../kling/task';
import { fileSizeOf } from './fileSize';
import type { Problem } from './problems';
import type { Session } from './session';

/** A broken transfer is begun again so often. */
const mostTries = 3;
/** Milliseconds until an address that does not answer is given up. */
const idleMs = 60_000;
/** Milliseconds for a whole video, which has 5 to 20 MB. */
const deadlineMs = 900_000;
/** Bytes. n8n keeps what it stores in memory, in its database or on its disk. */
const largestVideo = 1024 ** 3;
const mostRedirects = 5;
/** A page or a message in place of the video, whatever the status says. */
const otherTypes = /^(text|image|audio|font)\/|json|xml|html/i;

/** The parts of n8n that can store a video. */
export type VideoContext = IExecuteFunctions | IWebhookFunctions;

export type Downloaded = { ok: true; binary: IBinaryKeyData } | { ok: false; problem: Problem };

type Fetched = { ok: true; file: IBinaryData } | { ok: false; problem: Problem; again: boolean };

/**
 * Brings the videos of a task into n8n's binary store, streamed and without credentials. The first
 * goes into the field, further ones into the field with a number: data, data2, data3.
 */
export async function downloadVideos(
	context: VideoContext,
	session: Session,
	record: TaskRecord,
	field: string,
): Promise<Downloaded> {
	const binary: IBinaryKeyData = {};
	for (const [index, url] of record.videoUrls.entries()) {
		const number = index === 0 ? '' : String(index + 1);
		const fileName = fileNameOf(record.task, number);
		const fetched = await fetchPatiently(context, session, { url, fileName, task: record.task });
		if (!fetched.ok) return { ok: false, problem: fetched.problem };
		binary[`${field}${number}`] = fetched.file;
	}
	return { ok: true, binary };
}

interface Video {
	url: string;
	fileName: string;
	task: Task;
}

async function fetchPatiently(
	context: VideoContext,
	session: Session,
	video: Video,
): Promise<Fetched> {
	const { clock, signal } = session;
	for (let tries = 1; ; tries++) {
		const fetched = await fetchOnce(context, session, video);
		if (fetched.ok || !fetched.again || tries === mostTries || signal?.aborted) return fetched;
		await clock.sleep(
			delayBeforeRetry(tries, null, () => clock.random()),
			signal,
		);
	}
}

async function fetchOnce(context: VideoContext, session: Session, video: Video): Promise<Fetched> {
	const deadline = AbortSignal.timeout(deadlineMs);
	const ending = new AbortController();
	const end = () => ending.abort();
	for (const signal of [deadline, session.signal]) signal?.addEventListener('abort', end);
	try {
		const response = await responseAt(context, session, video, ending.signal);
		if ('problem' in response) return response;
		return await store(context, response, video);
	} finally {
		session.signal?.removeEventListener('abort', end);
	}
}

/** Follows redirects itself, so that none leads where a provider on the internet has nothing to do. */
async function responseAt(
	context: VideoContext,
	{ account, provider }: Session,
	video: Video,
	signal: AbortSignal,
): Promise<IN8nHttpFullResponse | (Fetched & { ok: false })> {
	let url = video.url;
	for (let hops = 0; hops <= mostRedirects; hops++) {
		if (!isWebAddress(url)) {
			return refused(video, 'The provider gave no web address for the video', false);
		}
		if (isPrivateAddress(url) && !isPrivateAddress(account.baseUrl)) {
			return refused(video, 'The address of the video leads into a private network', false);
		}
		const response = (await context.helpers
			.httpRequest({
				method: 'GET',
				url,
				// A compressed one would be longer than it says, and no video gets smaller.
				headers: { 'Accept-Encoding': 'identity' },
				encoding: 'stream',
				returnFullResponse: true,
				ignoreHttpStatusErrors: true,
				disableFollowRedirect: true,
				timeout: idleMs,
				abortSignal: signal,
			})
			.catch(() => null)) as IN8nHttpFullResponse | null;
		if (response === null) return refused(video, 'The address of the video did not answer', true);
		const { statusCode: status, headers } = response;
		if (status < 300) return response;
		discard(response.body);
		const next = isRedirect(status) && headers.location;
		if (!next) {
			return status === 429 || status >= 500
				? refused(video, `The address of the video answered with HTTP ${status}`, true)
				: expired(video, status, provider.retention);
		}
		url = new URL(String(next), url).href;
	}
	return refused(video, 'The address of the video redirects without end', false);
}

function isRedirect(status: number): boolean {
	return [301, 302, 303, 307, 308].includes(status);
}

/** Puts the stream into n8n's binary store, looking at what passes by. */
async function store(
	context: VideoContext,
	{ body, headers, statusCode }: IN8nHttpFullResponse,
	video: Video,
): Promise<Fetched> {
	const type = String(headers['content-type'] ?? '')
		.split(';')[0]
		.trim();
	const stream = body as Stream;
	if (statusCode === 204 || otherTypes.test(type)) {
		discard(stream);
		return noVideo(video, type || 'nothing');
	}
	if (Number(headers['content-length']) > largestVideo) {
		discard(stream);
		return tooLarge(video);
	}
	const passed = watch(stream);
	const file = await context.helpers
		.prepareBinaryData(
			stream as Parameters<typeof context.helpers.prepareBinaryData>[0],
			video.fileName,
			type.startsWith('video/') ? type : 'video/mp4',
		)
		.catch(() => null);
	if (passed.bytes > largestVideo) return tooLarge(video);
	if (passed.isOther) return noVideo(video, 'something else');
	if (!file || !passed.ended || (await fileSizeOf(context, file)) !== passed.bytes) {
		return refused(video, 'The download of the video was interrupted', true);
	}
	return passed.bytes > 0 ? { ok: true, file } : noVideo(video, 'an empty file');
}

interface Stream {
	emit(event: string, ...values: unknown[]): boolean;
	destroy(reason?: Error): void;
}

interface Passed {
	bytes: number;
	ended: boolean;
	isOther: boolean;
}

/** Counts what is read from a stream by somebody else, and stops it when it is no video or has no end. */
function watch(stream: Stream): Passed {
	const passed: Passed = { bytes: 0, ended: false, isOther: false };
	const emit = stream.emit.bind(stream);
	// A listener of its own would set the stream going before there is anybody to take the data.
	stream.emit = (event, ...values) => {
		const [chunk] = values;
		if (event === 'end') passed.ended = true;
		if (event === 'data' && Buffer.isBuffer(chunk)) {
			if (passed.bytes === 0) passed.isOther = isOtherThanVideo(chunk);
			passed.bytes += chunk.length;
			if (passed.isOther || passed.bytes > largestVideo) stream.destroy(new Error('stopped'));
		}
		return emit(event, ...values);
	};
	return passed;
}

/** By the first bytes: another known format or text. What is unknown may be a format of its own. */
function isOtherThanVideo(head: Buffer): boolean {
	const foreign = foreignTypeOf(head);
	return imageTypeOf(head) !== null || (foreign !== null && !/video$/.test(foreign.what));
}

function noVideo(video: Video, found: string): Fetched & { ok: false } {
	return refused(video, `The address of the video gives ${found}, not a video`, false);
}

function tooLarge(video: Video): Fetched & { ok: false } {
	return refused(video, 'The video is larger than 1 GB', false);
}

function discard(body: unknown): void {
	(body as { destroy?(): void } | undefined)?.destroy?.();
}

function expired(video: Video, status: number, retention: string | null): Fetched & { ok: false } {
	const kept = retention
		? `The provider keeps videos for ${retention}.`
		: 'The provider does not say how long it keeps videos.';
	return refused(
		video,
		`The video of task ${video.task.taskId} can no longer be fetched (HTTP ${status})`,
		false,
		`${kept} Get the task again for a fresh link, and download videos soon after they are made.`,
	);
}

function refused(
	{ task }: Video,
	message: string,
	again: boolean,
	description = 'The task itself is done and paid for. Run Get with its task ID to fetch the video.',
): Fetched & { ok: false } {
	const problem = {
		message,
		description: `${description} (task ${task.taskId})`,
		taskId: task.taskId,
	};
	return { ok: false, again, problem };
}

/** Scene and task id, in letters that every file system takes. */
function fileNameOf({ effectScene, taskId }: Task, number: string): string {
	const parts = [effectScene ?? 'kling-effect', taskId, number].filter(Boolean);
	return `${parts.join('-').replace(/[^\w.’-]+/g, '_')}.mp4`;
}

/** Not by `URL.canParse`, which Node.js 20 gets wrong once it is compiled. */
function isWebAddress(url: string): boolean {
	try {
		return /^https?:$/.test(new URL(url).protocol);
	} catch {
		return false;
	}
}
