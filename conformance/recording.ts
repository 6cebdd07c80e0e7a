import { z } from 'zod/v3';

/**
 * An answer as it was recorded, with where it comes from: the form of test/fixtures/liveAnswers.json
 * and of the recordings that `npm run conformance` writes.
 */
export const recordingSchema = z
	.object({
		provider: z.string(),
		/** Method and path, or POST to a callback URL. */
		endpoint: z.string(),
		situation: z.string(),
		/** Null where the author noted none, and for callbacks. */
		httpStatus: z.number().int().nullable(),
		headers: z.record(z.string()).optional(),
		/** JSON, or the text of a body that is signed or no JSON. */
		body: z.unknown(),
		source: z.string(),
		/** A date, as exact as it is known. */
		observed: z.string().nullable(),
		/** O on effects itself, L on a sibling endpoint, D documented, C from client code. */
		confidence: z.enum(['O', 'L', 'D', 'C']),
		/** Whether only a part of the body was recorded. */
		partial: z.boolean().optional(),
		note: z.string().optional(),
	})
	.strict();

export type Recording = z.infer<typeof recordingSchema>;

const longestText = 500;
const longestList = 2;

/** Fields that tell of an account rather than of the API. What a task cost stays. */
const ofAccount =
	/^(balance|total|frozen|credits?|.*quota.*|remaining.*|total_(granted|used|available|quantity)|resource_pack_(id|name)|email|user(_?name)?|owner|name|keys?|callback_url|params?|prompt)$/i;
const ofTask = /^(task_?id|id|external_?task_?id|external_id)$/i;

/**
 * A body without what belongs to the account: keys and tokens, ids of tasks that the run did not
 * make, amounts, addresses beyond their host, and all but the first entries of a list.
 */
export function withoutPrivate(
	body: unknown,
	secrets: readonly string[],
	own: ReadonlySet<string>,
): unknown {
	const clean = (value: unknown, key: string): unknown => {
		if (Array.isArray(value)) return value.slice(0, longestList).map((one) => clean(one, key));
		if (typeof value === 'object' && value !== null) {
			return Object.fromEntries(
				Object.entries(value).map(([name, one]) => [name, clean(one, name)]),
			);
		}
		if (ofAccount.test(key) && value !== null && value !== '') return `<${typeof value}>`;
		if (ofTask.test(key) && !own.has(String(value))) return '<id>';
		return typeof value === 'string' ? cleanText(value, secrets) : value;
	};
	return clean(body, '');
}

/** A text without keys and tokens, in the spellings in which they are repeated. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
	return secrets
		.filter((secret) => secret.length > 0)
		.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
		.reduce((rest, secret) => rest.replaceAll(secret, '<key>'), text)
		.replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '<token>')
		.replace(/\b(sk|ak)[-_][\w-]{6,}/gi, '<key>');
}

function cleanText(text: string, secrets: readonly string[]): string {
	const clean = withoutSecrets(text, secrets)
		.replace(/(https?:\/\/[^\s/"'<>]+)\/[^\s"'<>]*/g, '$1/…')
		.replace(/[¥$€]\s?\d[\d.,]*/g, '<amount>')
		.replace(/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '<email>');
	return clean.length > longestText ? `${clean.slice(0, longestText)}…` : clean;
}
