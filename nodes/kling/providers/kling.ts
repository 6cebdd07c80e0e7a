import { z } from 'zod/v3';
import { asObject, type JsonResponse } from '../http';
import { failureOf, kindOfStatus, type Failure, type FailureKind } from '../failure';
import { recordOf, type ProviderName, type TaskRecord } from '../task';
import type { OrderWithImages, Provider, TaskPage } from './provider';
import {
	amountSchema,
	create,
	entriesOf,
	idSchema,
	kindOfText,
	klingBody,
	momentSchema,
	pageOf,
	read,
	readWith,
	saysSuccess,
	segmentOf,
	statusOf,
	textSchema,
	urlSchema,
	type RefusalTexts,
} from './toolkit';
import { signedToken } from '../signatures';

/** Kling's body codes (docs/providers.md 1.7). Several share an HTTP status, so the code decides. */
export const klingCodes: Record<number, FailureKind> = {
	1000: 'keyRefused',
	1001: 'keyRefused',
	1002: 'keyRefused',
	1003: 'keyRefused',
	1004: 'keyRefused',
	1100: 'accountBlocked',
	1101: 'accountEmpty',
	1102: 'accountEmpty',
	1103: 'notAllowed',
	1200: 'badRequest',
	1201: 'badRequest',
	1202: 'badRequest',
	1203: 'notFound',
	1300: 'contentRefused',
	1301: 'contentRefused',
	1302: 'tooManyRequests',
	1303: 'noFreeSlot',
	1304: 'accountBlocked',
	5000: 'providerDown',
	5001: 'providerDown',
	5002: 'providerDown',
};

/**
 * Texts that decide about money: 1201 is Kling's catch-all (docs/providers.md K6), so its text decides.
 * Not found comes first. Each pattern covers the whole text apart from what varies.
 */
const texts: RefusalTexts = [
	// docs/providers.md K1
	[/^task not found by id\/external id\b/i, 'notFound'],
	// docs/providers.md K3
	[/^external_task_id .+ already exists\W*$/is, 'duplicateExternalId'],
	// Other wordings that Kling clients check for; no response was recorded.
	[
		/^external[ _]task[ _]id (is |was |has been |must be )?(already |a |not )?(duplicated?|exists|used|unique)\W*(:.*)?$/is,
		'duplicateExternalId',
	],
	[/^duplicated? external[ _]task[ _]id\b/i, 'duplicateExternalId'],
];

/** The options that Kling documents for a create, and gateways pass on. */
export const klingOptions: Provider['takes'] = [
	'callbackUrl',
	'duration',
	'externalTaskId',
	'mode',
	'modelName',
];

/** Requests for single tasks, under this path; an external id can take the place of the task's own. */
export function klingRequests(path: string) {
	const readById = (id: string) => read(`${path}/${segmentOf(id)}`);
	return {
		createRequests: (order: OrderWithImages) => [create(path, klingBody(order))],
		getRequest: readById,
		findByExternalIdRequest: readById,
	};
}

/** Kling's refusal `{code, message, request_id}` with a code other than 0. */
export function failureOfKling(response: JsonResponse): Failure | null {
	const { code, message } = response.json;
	if (response.status < 300 && saysSuccess(code)) return null;
	return failureOf(response, kindOfCode(response.status, code, message), { code, message });
}

function kindOfCode(status: number, code: unknown, message: unknown): FailureKind {
	const kind = typeof code === 'object' ? undefined : klingCodes[Number(code)];
	// One recording of the not-found response has only its status and text.
	if (kind === 'badRequest' || (kind === undefined && status === 400)) {
		return kindOfText(texts, message) ?? 'badRequest';
	}
	if (kind) return kind;
	if (status >= 300) return kindOfStatus(status);
	// A code for a broken server is not a definite refusal.
	return /^5\d\d\d?$/.test(String(code)) ? 'providerDown' : 'badRequest';
}

const taskSchema = z.object({
	task_id: idSchema,
	task_status: z.string().min(1),
	task_status_msg: textSchema,
	task_info: z.object({ external_task_id: textSchema }).nullish().catch(null),
	task_result: z
		.object({
			videos: entriesOf(
				z.object({ url: urlSchema, watermark_url: textSchema, duration: amountSchema }),
			),
		})
		.nullish()
		.catch(null),
	final_unit_deduction: amountSchema,
	created_at: momentSchema,
	updated_at: momentSchema,
});

/** Makes a record of Kling's task object (Kling's effects page, single and list query). */
export function klingRecord(provider: ProviderName, raw: unknown): TaskRecord | null {
	return readWith(taskSchema, raw, (value) => recordOfKling(provider, value, raw));
}

/** A row of a list. Without a status it counts as running, so that its task is not lost. */
const rowSchema = taskSchema.extend({ task_status: z.unknown() });

/** Makes a record of each task object of a list. Without tasks Kling may leave the list out (docs/providers.md K10). */
function klingPage(
	provider: ProviderName,
	{ json: { code, data } }: JsonResponse,
): TaskPage | null {
	const isEmpty = data === undefined || data === null || asObject(data)?.count === 0;
	if (isEmpty && Number(code ?? NaN) === 0) return { records: [], rows: 0 };
	return pageOf(data, (raw) =>
		readWith(rowSchema, raw, (value) => recordOfKling(provider, value, raw)),
	);
}

function recordOfKling(
	provider: ProviderName,
	value: z.infer<typeof rowSchema>,
	raw: unknown,
): TaskRecord {
	const videos = value.task_result?.videos ?? [];
	const known = {
		taskId: value.task_id,
		externalTaskId: value.task_info?.external_task_id ?? null,
		status: statusOf(value.task_status),
		statusMessage: value.task_status_msg,
		watermarkUrl: videos[0]?.watermark_url ?? null,
		videoDuration: videos[0]?.duration ?? null,
		unitsDeducted: value.final_unit_deduction,
		createdAt: value.created_at,
		updatedAt: value.updated_at,
	};
	return recordOf(
		provider,
		known,
		raw,
		videos.map(({ url }) => url),
	);
}

const path = '/v1/videos/effects';

const advice = Object.entries({
	1001: 'Enter the key in the credential.',
	1002: 'Check the key in the credential, and try the other Region: a key from the China console works only with China, any other only with Global.',
	1003: "The clock of the machine that runs n8n seems to be ahead of Kling AI's. Set it to the correct time.",
	1004: "The clock of the machine that runs n8n seems to be behind Kling AI's. Set it to the correct time.",
	1100: 'Check the account in the Kling AI console, or ask Kling AI support.',
	1101: 'The account is in arrears. Top it up in the Kling AI console, then run this again.',
	1102: 'The resource pack is used up or has run out. Buy a new one in the Kling AI console, then run this again.',
	1103: 'This account may not use video effects. Ask for access in the Kling AI console.',
	1304: "The address of this n8n is not on the account's IP allow-list. Add it in the Kling AI console.",
});

/** Kling AI itself (Kling's effects page; docs/providers.md section 1). */
export const kling: Provider = {
	name: 'kling',
	displayName: 'Kling AI',
	keysPage: {
		name: 'API Keys in the Kling AI developer console',
		url: 'https://kling.ai/dev/api-key',
	},
	defaultBaseUrl: ({ region }) =>
		region === 'china' ? 'https://api-beijing.klingai.com' : 'https://api-singapore.klingai.com',
	isKling: true,
	regional: true,
	signs: true,
	authorize: (secret, now) => ({
		Authorization: `Bearer ${secret.kind === 'key' ? secret.key : signedToken(secret.accessKey, secret.secretKey, now)}`,
	}),
	externalId: 'lookup',
	takes: klingOptions,
	idKeys: ['task_id'],
	retention: '30 days',
	// Free, and part of the same API family that the nodes use (docs/providers.md 1.10).
	check: {
		path,
		query: { pageNum: 1, pageSize: 1 },
		refusals: [
			{ key: 'code', value: 1000 },
			...advice.map(([code, text]) => ({
				key: 'code',
				value: Number(code),
				message: `Kling AI did not accept the key (code ${code}). ${text}`,
			})),
		],
	},
	advice: new Map(advice),

	...klingRequests(path),
	list: {
		// Kling's effects page: pageSize 1 to 500, pageNum 1 to 1000.
		largestPage: 500,
		lastPage: 1000,
		request: (pageNum, pageSize) => read(path, { pageNum, pageSize }),
		read: (response) => klingPage('kling', response),
	},

	// The token's time is off, which a new signature can fix (docs/providers.md 1.2).
	isStaleSignature: ({ code }) => code === '1003' || code === '1004',
	readFailure: failureOfKling,
	readTask: ({ json }) => klingRecord('kling', json.data),
};
