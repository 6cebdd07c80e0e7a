import { fillIn, type Expectation, type Pattern, type RunValues } from './probe';

/** An answer, as far as it is compared. */
export interface Observed {
	status: number;
	/** Parsed JSON, or the text when it is none. */
	body: unknown;
	/** What the package's adapter makes of it. */
	reads: string;
}

const classes: Record<string, RegExp> = {
	id: /^\S+$/,
	text: /\S/s,
	uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
	number: /^-?\d+(\.\d+)?$/,
	ms: /^1[5-9]\d{11}$|^2\d{12}$/,
	url: /^https?:\/\/\S+$/i,
	html: /^\s*<(!doctype|html)/i,
};

/** Where an answer is other than expected; empty when it is as expected. */
export function differences(
	expected: Expectation,
	observed: Observed,
	values: RunValues,
): string[] {
	const { body } = expected;
	const alternatives = isOneOf(body) ? body.oneOf : body === undefined ? [] : [body];
	const ofBodies = alternatives.map((one) => compare(one, observed.body, 'body', values));
	// Of several shapes, the one that comes nearest tells most.
	const ofBody = ofBodies.sort((a, b) => a.length - b.length)[0] ?? [];
	return [
		...compare(expected.status, observed.status, 'HTTP', values),
		...ofBody,
		...compare(expected.reads, observed.reads, 'read as', values),
	];
}

function isOneOf(body: Expectation['body']): body is { oneOf: Pattern[] } {
	return typeof body === 'object' && body !== null && 'oneOf' in body;
}

function compare(expected: Pattern, value: unknown, at: string, values: RunValues): string[] {
	if (typeof expected === 'string') {
		return fits(fillIn(expected, values), value) ? [] : [`${at}: ${shown(value)}`];
	}
	if (Array.isArray(expected)) {
		if (!Array.isArray(value)) return [`${at}: ${shown(value)}`];
		return value.flatMap((entry, index) => compare(expected[0], entry, `${at}[${index}]`, values));
	}
	if (typeof expected === 'object' && expected !== null) {
		if (typeof value !== 'object' || value === null) return [`${at}: ${shown(value)}`];
		return Object.entries(expected).flatMap(([key, one]) =>
			compare(one, (value as Record<string, unknown>)[key], `${at}.${key}`, values),
		);
	}
	return Object.is(expected, value) ? [] : [`${at}: ${shown(value)}`];
}

function fits(pattern: string, value: unknown): boolean {
	if (pattern === '<any>') return true;
	const isAbsent = value === undefined;
	if (pattern === '<absent>' || isAbsent) return pattern === '<absent>' && isAbsent;
	const alternatives = /^<([^<>]*\|[^<>]*)>$/.exec(pattern)?.[1].split('|');
	if (alternatives) return alternatives.includes(String(value));
	if (/^<\w+>$/.test(pattern)) return classes[pattern.slice(1, -1)].test(String(value));
	return patternOf(pattern).test(String(value)) && typeof value === 'string';
}

/** A text with `<text>` in it, as an expression for the whole value. */
function patternOf(text: string): RegExp {
	const parts = text.split(/(<\w+>)/).map((part) => {
		return part === '<text>' ? '.+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	});
	return new RegExp(`^${parts.join('')}$`, 's');
}

function shown(value: unknown): string {
	const text = value === undefined ? 'absent' : JSON.stringify(value);
	return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** What is expected, for people. */
export function describeExpectation({ status, body, reads }: Expectation): string {
	const bodies = isOneOf(body) ? body.oneOf : body === undefined ? [] : [body];
	const parts = [`HTTP ${String(status)}`, bodies.map((one) => JSON.stringify(one)).join(' or ')];
	return [...parts.filter((part) => part !== ''), `read as ${reads}`].join(', ');
}

/** What came, for people: status, and the body's code and message. */
export function describeObserved({ status, body, reads }: Observed): string {
	const { code, message, msg, error } = (body ?? {}) as Record<string, unknown>;
	const inner = (typeof error === 'object' && error !== null ? error : {}) as typeof body & object;
	const said = message ?? msg ?? (inner as { message?: unknown }).message;
	const parts = [
		`HTTP ${status}`,
		...[code ?? (inner as { code?: unknown }).code]
			.filter(isThere)
			.map((one) => `code ${shown(one)}`),
		...[said].filter(isThere).map(shown),
		...(typeof body === 'string' ? [body === '' ? 'no body' : shown(body.slice(0, 60))] : []),
	];
	return [...parts, `read as ${reads}`].join(', ');
}

function isThere(value: unknown): boolean {
	return value !== undefined && value !== null && value !== '';
}
