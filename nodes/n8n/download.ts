import type {
	IBinaryData,
	IBinaryKeyData,
	IExecuteFunctions,
	IN8nHttpFullResponse,
	IWebhookFunctions,
} from 'n8n-workflow';
import { delayBeforeRetry } from '../kling/clock';
import type { Task, TaskRecord } from '../kling/task';
import { fileSizeOf } from './fileSize';
import type { Problem } from './problems';
import type { Session } from './session';

/** A broken transfer is begun again so often. */
const mostTries = 3;
const timeoutMs = 300_000;

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
	const response = (await context.helpers
		.httpRequest({
			method: 'GET',
			url: video.url,
			encoding: 'stream',
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			sendCredentialsOnCrossOriginRedirect: false,
			timeout: timeoutMs,
			abortSignal: session.signal,
		})
		.catch(() => null)) as IN8nHttpFullResponse | null;
	if (response === null) return refused(video, 'The address of the video did not answer', true);
	const status = response.statusCode;
	if (status >= 300) {
		discard(response.body);
		return status === 429 || status >= 500
			? refused(video, `The address of the video answered with HTTP ${status}`, true)
			: expired(video, status, session.provider.retention);
	}
	const file = await store(context, response, video.fileName);
	return file
		? { ok: true, file }
		: refused(video, 'The transfer of the video broke off before its end', true);
}

/** Puts the stream into n8n's binary store; null when it did not arrive whole. */
async function store(
	context: VideoContext,
	response: IN8nHttpFullResponse,
	fileName: string,
): Promise<IBinaryData | null> {
	const { body, headers } = response;
	const said = String(headers['content-type'] ?? '').split(';')[0];
	const mimeType = said.startsWith('video/') ? said : 'video/mp4';
	const file = await context.helpers
		.prepareBinaryData(
			body as Parameters<typeof context.helpers.prepareBinaryData>[0],
			fileName,
			mimeType,
		)
		.catch(() => null);
	if (!file) return null;
	const expected = Number(headers['content-length']);
	// A body that was compressed on the way is longer than its header says.
	if (!expected || headers['content-encoding']) return file;
	return (await fileSizeOf(context, file)) === expected ? file : null;
}

function discard(body: unknown): void {
	(body as { destroy?(): void } | undefined)?.destroy?.();
}

function expired(video: Video, status: number, retention: string | null): Fetched {
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
): Fetched {
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
