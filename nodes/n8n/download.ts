import type {
	IBinaryData,
	IBinaryKeyData,
	IExecuteFunctions,
	IN8nHttpFullResponse,
} from 'n8n-workflow';
import { delayBeforeRetry } from '../kling/clock';
import { foreignTypeOf, imageTypeOf } from '../kling/image/type';
import { InputError } from '../kling/input';
import { isPrivateAddress } from '../kling/privateAddress';
import type { Task, TaskRecord } from '../kling/task';
import type { Session } from './session';
import { isBlocked, untilDeadline } from './transport';

/** A broken transfer is begun again so often. */
const mostTries = 3;
/** Milliseconds until an address that does not answer is given up. */
const idleMs = 60_000;
/** Milliseconds for a whole video, which has 5 to 20 MB. */
const deadlineMs = 900_000;
/** Bytes. */
const megabyte = 1024 ** 2;
const mostRedirects = 5;
const redirects = [301, 302, 303, 307, 308];
/** A page or a message in place of the video, whatever the status says. */
const otherTypes = /^(text|image|audio|font)\/|json|xml|html/i;

/** How an item wants its videos. */
export interface VideoOptions {
	outputField: string;
	/** Megabytes of a video, at most. */
	maxFileSize: number;
}

interface Video {
	url: string;
	taskId: string;
	fileName: string;
	/** Bytes. */
	largest: number;
}

const getLater =
	'The task itself is done and paid for. Run Get with its task ID to fetch the video.';

/** Why there is no file; another try may not meet again what is passing. */
class NoFile extends InputError {
	constructor(
		message: string,
		description = getLater,
		readonly isPassing = false,
	) {
		super(message, description);
	}
}

/**
 * Brings the videos of a task into n8n's binary store, streamed and without credentials. The first
 * goes into the field, further ones into the field with a number: data, data2, data3.
 *
 * @throws InputError when one cannot be fetched
 */
export async function downloadVideos(
	context: IExecuteFunctions,
	session: Session,
	{ task, videoUrls }: TaskRecord,
	{ outputField, maxFileSize }: VideoOptions,
): Promise<IBinaryKeyData> {
	const binary: IBinaryKeyData = {};
	for (const [index, url] of videoUrls.entries()) {
		const number = index === 0 ? '' : String(index + 1);
		const fileName = fileNameOf(task, number);
		const video = { url, taskId: task.taskId, fileName, largest: maxFileSize * megabyte };
		binary[`${outputField}${number}`] = await fetchPatiently(context, session, video);
	}
	return binary;
}

async function fetchPatiently(
	context: IExecuteFunctions,
	session: Session,
	video: Video,
): Promise<IBinaryData> {
	const { clock, signal } = session;
	for (let tries = 1; ; tries++) {
		const fetched = await untilDeadline(
			deadlineMs,
			signal,
			async (ending) => await fetchOnce(context, session, video, ending.signal),
		);
		if (!(fetched instanceof NoFile)) return fetched;
		const { message, description, isPassing } = fetched;
		if (!isPassing || tries === mostTries || signal?.aborted) {
			throw new NoFile(message, `${description} (task ${video.taskId})`);
		}
		await clock.sleep(
			delayBeforeRetry(tries, null, () => clock.random()),
			signal,
		);
	}
}

/** Follows redirects itself, so that none leads where a provider on the internet has nothing to do. */
async function fetchOnce(
	context: IExecuteFunctions,
	{ account, provider }: Session,
	video: Video,
	abortSignal: AbortSignal,
): Promise<IBinaryData | NoFile> {
	let url = webAddress(video.url);
	for (let hops = 0; hops <= mostRedirects; hops++) {
		if (url === null) return new NoFile('The provider gave no web address for the video');
		if (isPrivateAddress(url) && !isPrivateAddress(account.baseUrl)) {
			return new NoFile('The address of the video leads into a private network');
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
				abortSignal,
			})
			.catch(unanswered)) as IN8nHttpFullResponse | NoFile;
		if (response instanceof NoFile) return response;
		const { statusCode: status, headers } = response;
		if (status < 300) return await store(context, response, video);
		discard(response.body);
		if (status === 429 || status >= 500) {
			return passing(`The address of the video answered with HTTP ${status}`);
		}
		if (!redirects.includes(status) || !headers.location) {
			return expired(video, status, provider.retention);
		}
		url = webAddress(String(headers.location), url);
	}
	return new NoFile('The address of the video redirects without end');
}

/** Puts the stream into n8n's binary store, looking at what passes by. */
async function store(
	context: IExecuteFunctions,
	{ body, headers, statusCode }: IN8nHttpFullResponse,
	video: Video,
): Promise<IBinaryData | NoFile> {
	const [type] = String(headers['content-type'] ?? '').split(/\s*;/);
	const stream = body as Stream;
	const isTooLarge = Number(headers['content-length']) > video.largest;
	if (isTooLarge || statusCode === 204 || otherTypes.test(type)) {
		discard(stream);
		return isTooLarge ? tooLarge(video) : noVideo(type || 'nothing');
	}
	const passed = watch(stream, video.largest);
	const file = await context.helpers
		.prepareBinaryData(
			stream as Parameters<typeof context.helpers.prepareBinaryData>[0],
			video.fileName,
			type.startsWith('video/') ? type : 'video/mp4',
		)
		.catch(() => null);
	if (passed.bytes > video.largest) return tooLarge(video);
	if (passed.isOther) return noVideo('something else');
	if (!file || !passed.ended) return passing('The download of the video was interrupted');
	return passed.bytes > 0 ? file : noVideo('an empty file');
}

interface Stream {
	emit(event: string, ...values: unknown[]): boolean;
	destroy(reason?: Error): void;
}

/** Counts what is read from a stream by somebody else, and stops it when it is no video or too large. */
function watch(stream: Stream, largest: number) {
	const passed = { bytes: 0, ended: false, isOther: false };
	const emit = stream.emit.bind(stream);
	// A listener of its own would set the stream going before there is anybody to take the data.
	stream.emit = (event, ...values) => {
		const [chunk] = values;
		if (event === 'end') passed.ended = true;
		if (event === 'data' && Buffer.isBuffer(chunk)) {
			if (passed.bytes === 0) passed.isOther = isOtherThanVideo(chunk);
			passed.bytes += chunk.length;
			if (passed.isOther || passed.bytes > largest) stream.destroy(new Error('stopped'));
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

function discard(body: unknown): void {
	(body as { destroy?(): void } | undefined)?.destroy?.();
}

function passing(message: string): NoFile {
	return new NoFile(message, getLater, true);
}

function unanswered(thrown: unknown): NoFile {
	if (!isBlocked(thrown)) return passing('The address of the video did not answer');
	return new NoFile(
		'n8n blocks requests to the address of the video',
		'Have its host allowed (N8N_SSRF_ALLOWED_HOSTNAMES), or turn off Download Video.',
	);
}

function noVideo(found: string): NoFile {
	return new NoFile(`The address of the video gives ${found}, not a video`);
}

function tooLarge({ url, largest }: Video): NoFile {
	return new NoFile(
		`The video is larger than ${largest / megabyte} MB`,
		`The task itself is done and paid for. Raise Max File Size (MB) under Options and run Get with its task ID, or fetch the video from ${url}`,
	);
}

function expired({ taskId }: Video, status: number, retention: string | null): NoFile {
	const kept = retention
		? `The provider keeps videos for ${retention}.`
		: 'The provider does not say how long it keeps videos.';
	return new NoFile(
		`The video of task ${taskId} can no longer be fetched (HTTP ${status})`,
		`${kept} Get the task again for a fresh link, and download videos soon after they are made.`,
	);
}

/** Scene and task id, in letters that every file system takes. */
function fileNameOf({ effectScene, taskId }: Task, number: string): string {
	const parts = [effectScene ?? 'kling-effect', taskId, number].filter(Boolean);
	return `${parts.join('-').replace(/[^\w.’-]+/g, '_')}.mp4`;
}

/** Not by `URL.canParse`, which Node.js 20 gets wrong once it is compiled. */
function webAddress(address: string, base?: string): string | null {
	try {
		const { protocol, href } = new URL(address, base);
		return /^https?:$/.test(protocol) ? href : null;
	} catch {
		return null;
	}
}
