import type { OrderWithImages } from '../nodes/kling/providers/provider';

/**
 * What is expected of a value: itself, or a text with `<…>` in it. `<id>`, `<text>`, `<uuid>`,
 * `<number>`, `<ms>`, `<url>`, `<any>` and `<absent>` say what stands there, `<a|b>` one of several.
 * An object names the keys that matter; a list of one holds for each entry, of which there may be
 * none. `{name}` is a value of the run (see {@link RunValues}).
 */
export type Pattern = string | number | boolean | null | Pattern[] | { [key: string]: Pattern };

/** What an answer should be. */
export interface Expectation {
	/** A number, or `<400|404>`. */
	status: Pattern;
	/** The body, or several of which one fits. */
	body?: Pattern | { oneOf: Pattern[] };
	/** What the package's own adapter makes of it: a kind of failure, `task succeed`, `list`, `key works`. */
	reads: string;
}

/** Which key goes along. A `late` or `early` one is a token whose time is off; those need an access key. */
export type KeyUse = 'wrong' | 'missing' | 'signed' | 'early' | 'late';

/** What is asked, in the package's own terms: its adapters know the paths and bodies. */
export type Ask =
	| { kind: 'get'; id: string }
	/** Asked again, every ten seconds, until the task has ended. */
	| { kind: 'follow'; id: string }
	| { kind: 'find'; externalId: string }
	| { kind: 'list'; page: number; pageSize: number }
	| { kind: 'check' }
	/** `change` alters the body that the adapter makes. */
	| {
			kind: 'create';
			order?: Partial<OrderWithImages>;
			change?: (body: Record<string, unknown>) => Record<string, unknown>;
			/** Name under which the task's id is kept for later probes. */
			keepAs?: string;
	  }
	/** Anything that the adapter does not ask. */
	| { kind: 'path'; path: string; query?: Record<string, string> };

/** One assumption, and how it is checked. */
export interface Probe {
	/** Unique within its provider. */
	id: string;
	/** What is asked, in words. */
	fact: string;
	/** Where the expectation comes from: a fact or section of docs/providers.md. */
	source: string;
	/** `task`: a task is made, or would be if the assumption were wrong. */
	cost: 'free' | 'task';
	ask: Ask;
	key?: KeyUse;
	/** The name under which an earlier probe keeps its task's id: without that task there is nothing to ask. */
	needs?: string;
	/** What else is told about the answer. */
	tell?: 'listOrder';
	expected: Expectation;
}

/** What texts in braces stand for during one run. */
export type RunValues = Record<string, string>;

/** Fills in the values of a run. */
export function fillIn(text: string, values: RunValues): string {
	return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
