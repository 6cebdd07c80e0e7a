import type {
	IBinaryData,
	IBinaryKeyData,
	IExecuteFunctions,
	IN8nHttpFullResponse,
} from 'n8n-workflow';
import { delayBeforeRetry } from '../kling/clock';
import { InputError } from '../kling/input';
import { adviceOnCertificate } from '../kling/messages';
import { isPrivateAddress } from '../kling/hosts';
import type { TaskRecord } from '../kling/task';
import { fileNameOf } from './fileName';
import { isFromProxy, type Session } from './session';
import { answerIn, anyStatus, isBlocked, untrustedCodeOf } from './network';
import { untilDeadline } from './session';
import { followVideo, type Stream } from './videoStream';

/** Attempts per download. */
const mostTries = 3;
/** Timeout for an address that does not answer. */
const idleMs = 60_000;
/** For a whole video, usually 5 to 20 MB. */
const deadlineMs = 900_000;
/** Bytes. */
const megabyte = 1024 ** 2;
const mostRedirects = 5;
const redirects = [301, 302, 303, 307, 308];
/** A task has one video; more than a few are a mistake by the provider. */
const mostFiles = 10;

/** How an item wants its videos. */
export interface VideoOptions {
	outputField: string;
	/** Maximum size of a video, in megabytes. */
	maxFileSize: number;
	/** The photo's file name, without its extension; null if it has none. */
	photo: string | null;
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

const noAddress = 'The provider gave no web address for the video';

/** Why there is no file; a temporary reason may be gone in the next try. */
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
 * Streams a task's videos into n8n's binary store, without credentials. The first goes into the field,
 * further ones into the field plus a number: data, data2, data3.
 *
 * @throws InputError if one cannot be fetched
 */
export async function downloadVideos(
	context: IExecuteFunctions,
	session: Session,
	{ task, videoUrls }: TaskRecord,
	{ outputField, maxFileSize, photo }: VideoOptions,
): Promise<IBinaryKeyData> {
	const binary: IBinaryKeyData = {};
	if (videoUrls.length === 0) throw new NoFile(noAddress, `${getLater} (task ${task.taskId})`);
	for (const [index, url] of videoUrls.slice(0, mostFiles).entries()) {
		const number = index === 0 ? '' : String(index + 1);
		const fileName = fileNameOf(task, photo, number);
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

/** Follows redirects itself, so that none leads where a provider on the internet has no business. */
async function fetchOnce(
	context: IExecuteFunctions,
	{ account, provider }: Session,
	video: Video,
	abortSignal: AbortSignal,
): Promise<IBinaryData | NoFile> {
	let url = webAddress(video.url);
	for (let hops = 0; hops <= mostRedirects; hops++) {
		if (url === null) return new NoFile(noAddress);
		if (isPrivateAddress(url) && !isPrivateAddress(account.baseUrl)) {
			return new NoFile('The address of the video points to a private network');
		}
		const response: IN8nHttpFullResponse | NoFile = await context.helpers
			.httpRequest({
				method: 'GET',
				url,
				// A compressed response would be longer than it says, and videos do not compress.
				headers: { 'Accept-Encoding': 'identity' },
				encoding: 'stream',
				returnFullResponse: true,
				ignoreHttpStatusErrors: anyStatus,
				disableFollowRedirect: true,
				timeout: idleMs,
				abortSignal,
			})
			.catch(answerIn)
			.catch(unanswered);
		if (response instanceof NoFile) return response;
		const { statusCode: status, headers } = response;
		if (isFromProxy(response, url)) return refusedByProxy(response);
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
	return new NoFile('The address of the video redirects too many times');
}

/** Puts the stream into n8n's binary store and checks what passes by: bytes count, not declared types. */
async function store(
	context: IExecuteFunctions,
	{ body, headers, statusCode }: IN8nHttpFullResponse,
	video: Video,
): Promise<IBinaryData | NoFile> {
	const [type] = String(headers['content-type'] ?? '').split(/\s*;/);
	const stream = body as Stream;
	const isTooLarge = Number(headers['content-length']) > video.largest;
	if (isTooLarge || statusCode === 204 || statusCode === 206) {
		discard(stream);
		if (isTooLarge) return tooLarge(video);
		return statusCode === 206 ? onlyPart() : noVideo('nothing');
	}
	const passed = followVideo(stream, video.largest);
	const file = await context.helpers
		.prepareBinaryData(
			stream as Parameters<typeof context.helpers.prepareBinaryData>[0],
			video.fileName,
			type.startsWith('video/') ? type : 'video/mp4',
		)
		.catch(() => null);
	if (passed.bytes > video.largest) return tooLarge(video);
	if (passed.other !== null) return noVideo(passed.other);
	if (!file || !passed.ended) return passing('The download of the video was interrupted');
	if (passed.bytes === 0) return noVideo('an empty file');
	return passed.isWhole ? file : onlyPart();
}

function discard(body: unknown): void {
	(body as { destroy?(): void } | undefined)?.destroy?.();
}

function passing(message: string): NoFile {
	return new NoFile(message, getLater, true);
}

function refusedByProxy({ statusCode, body }: IN8nHttpFullResponse): NoFile {
	discard(body);
	const message = 'The proxy between n8n and the address of the video refused the connection';
	const advice = 'Allow that host in the proxy, or add it to the environment variable NO_PROXY.';
	return new NoFile(`${message} (HTTP ${statusCode})`, `${advice} ${getLater}`, statusCode >= 500);
}

function unanswered(thrown: unknown): NoFile {
	const code = untrustedCodeOf(thrown);
	if (code !== null) {
		return new NoFile(
			`The TLS certificate of the address of the video is not trusted (${code})`,
			`${adviceOnCertificate(code)} ${getLater}`,
		);
	}
	if (!isBlocked(thrown)) return passing('The address of the video did not answer');
	return new NoFile(
		'n8n blocks requests to the address of the video',
		'Allow its host with N8N_SSRF_ALLOWED_HOSTNAMES, or turn off Download Video.',
	);
}

function onlyPart(): NoFile {
	return passing('The address of the video returned only part of it');
}

function noVideo(found: string): NoFile {
	return new NoFile(`The address of the video returned ${found} instead of a video`);
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

/** Not by `URL.canParse`, which Node.js 20 gets wrong once it is compiled. */
function webAddress(address: string, base?: string): string | null {
	try {
		const { protocol, href } = new URL(address, base);
		return /^https?:$/.test(protocol) ? href : null;
	} catch {
		return null;
	}
}
