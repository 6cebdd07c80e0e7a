import { randomUUID } from 'node:crypto';
import { z } from 'zod/v3';
import { videosOf } from '../../sandbox/files';
import { inspectImages } from '../../sandbox/images';
import { keyNameOf, makeKeys } from '../../sandbox/keys';
import { failureOfScene, parse, withoutImages } from '../../sandbox/providers/klingBody';
import { statusOfKling, textOfKling } from '../../sandbox/providers/klingEnvelope';
import type { Call, Context, Provider } from '../../sandbox/providers/provider';
import { Refusal } from '../../sandbox/refusal';
import { findScene } from '../../sandbox/scenes';
import type { Task } from '../../sandbox/tasks';
import { answer, type Answer } from '../../sandbox/wire';

const keys = makeKeys('acme');

/** The made-up provider on localhost. */
export const acmeInSandbox: Provider = {
	name: 'acme',
	displayName: 'Acme Effects',
	mounts: [{ prefix: '/acme', region: 'global', keys }],
	routes: [
		{ method: 'POST', path: /^\/v2\/jobs$/, operation: 'create', answer: create },
		{ method: 'GET', path: /^\/v2\/jobs$/, operation: 'list', answer: list },
		{ method: 'GET', path: /^\/v2\/jobs\/by-ref\/([^/]+)$/, operation: 'get', answer: getByRef },
		{ method: 'GET', path: /^\/v2\/jobs\/([^/]+)$/, operation: 'get', answer: get },
		{
			method: 'GET',
			path: /^\/v2\/me$/,
			operation: 'check',
			answer: () => answer(200, { ok: true, data: { plan: 'pro' } }),
		},
	],
	authenticate: ({ headers, region }) => {
		const keyName = keyNameOf(keys, String(headers['x-api-key'] ?? ''));
		if (!keyName) throw new Refusal(1002);
		return { keyName, region };
	},
	refuse: (code, _context, message) =>
		fault(statusOfKling(code), kinds[code] ?? `fault_${code}`, message ?? textOfKling(code)),
	unknownRoute: () => fault(404, 'no_route', 'There is nothing here'),
	newTaskId: () => `job_${randomUUID()}`,
	callbacks: () => ({
		onlyAtEnd: true,
		isSigned: false,
		retryMs: [],
		payload: ({ taskId, status }) => ({ job: { uid: taskId, phase: status } }),
	}),
};

const kinds: Record<number, string> = {
	1001: 'bad_key',
	1002: 'bad_key',
	1101: 'no_funds',
	1102: 'no_funds',
	1203: 'no_job',
	1302: 'slow_down',
	1303: 'busy',
};

function fault(status: number, kind: string, text: string): Answer {
	return answer(status, { ok: false, fault: { kind, text } });
}

function success(result: unknown): Answer {
	return answer(200, { ok: true, result });
}

const bodySchema = z.object({
	scene: z.string(),
	pictures: z.array(z.object({ src: z.string().min(1) })).min(1),
	seconds: z.number().optional(),
	ref: z.string().optional(),
	notify: z.string().url().optional(),
});

async function create(call: Call, context: Context): Promise<Answer> {
	const { scene, pictures, seconds, ref, notify } = parse(bodySchema, call.body);
	if (findScene(scene)?.images !== pictures.length) throw new Refusal(1201);
	if (ref && context.store.isUsed('acme', call.region, ref)) {
		return fault(409, 'ref_taken', `ref ${ref} is taken`);
	}
	const sources = pictures.map(({ src }) => src);
	const directives = await inspectImages(sources, context.url);
	const task = context.accept(call, {
		externalTaskId: ref ?? null,
		effectScene: scene,
		callbackUrl: notify ?? null,
		failure: directives.failure ?? failureOfScene(scene, context),
		seconds: directives.seconds,
		videoCount: directives.videos,
		megabytes: directives.megabytes,
		videoSeconds: seconds ?? 5,
		params: withoutImages(call.body),
	});
	return success({ job: jobOf(task, context) });
}

function get(call: Call, context: Context): Answer {
	return shown(context.store.byId('acme', call.region, call.params[0]), context);
}

function getByRef(call: Call, context: Context): Answer {
	return shown(context.store.byExternalId('acme', call.region, call.params[0]), context);
}

function shown(task: Task | undefined, context: Context): Answer {
	if (!task) throw new Refusal(1203);
	return success({ job: jobOf(task, context) });
}

function list(call: Call, context: Context): Answer {
	const [offset, limit] = ['offset', 'limit'].map((name) => Number(call.query.get(name)));
	if (!(limit >= 1 && limit <= 100)) throw new Refusal(1201, 'limit must be from 1 to 100');
	const tasks = context.store.page('acme', call.region, offset, limit);
	return success({ jobs: tasks.map((task) => jobOf(task, context)) });
}

function jobOf(task: Task, context: Context): Record<string, unknown> {
	const isDone = task.status === 'succeed';
	return {
		uid: task.taskId,
		phase: task.status === 'succeed' ? 'done' : task.status,
		ref: task.externalTaskId,
		born: task.createdAt,
		touched: task.updatedAt,
		...(task.status === 'failed' ? { why: task.message } : {}),
		...(isDone
			? {
					clips: videosOf(task, context.url).map(({ url }) => ({
						href: url,
						seconds: task.videoSeconds,
					})),
				}
			: {}),
	};
}
