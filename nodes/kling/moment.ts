const hasZone =
	/(Z|(?:UTC|GMT)(?:\s?[+-]\d{1,2}(?::?\d{2})?)?|[ECMP][SD]T|\d{2}:\d{2}.*[+-]\d{2}:?\d{2})(\s*\([^)]*\))?$/i;
/** An offset in hours only, as PostgreSQL writes it. */
const hourOffset = /(\d{2}:\d{2}[\d:.,]*)\s?([+-]\d{2}):?(\d{2})?$/;
const iso = /^\d{4}-\d{2}(?:-(\d{2})(?:[T ](\d{2}):\d{2}(?::\d{2}(?:[.,]\d+)?)?)?)?$/;

/**
 * The moment a text describes, in milliseconds since 1970; NaN if it cannot be read, or could mean two
 * different days. A time without a zone, as n8n's picker stores it, is in `timeZone`, not in the
 * machine's.
 *
 * @param timeZone an IANA name, such as Europe/Berlin
 */
export function momentIn(timeZone: string, text: string): number {
	const trimmed = text
		.trim()
		.replace(
			hourOffset,
			(_, time: string, hours: string, minutes = '00') => `${time}${hours}:${minutes}`,
		);
	if (isAmbiguous(trimmed) || !hasYear.test(trimmed) || isNoDay(trimmed)) return NaN;
	if (hasZone.test(trimmed)) {
		return Date.parse(trimmed.replace(/^(\d{4}-\d{2}-\d{2}) (?=\S+$)/, '$1T'));
	}
	const [isIso] = iso.exec(trimmed) ?? [];
	const asUtc = isIso
		? Date.parse(trimmed.replace(' ', 'T').replace(',', '.').replace(/T.*/, '$&Z'))
		: Date.parse(`${trimmed} UTC`);
	if (Number.isNaN(asUtc)) return NaN;
	// The clocks may have changed within the offset itself: then the second look-up is right.
	const near = asUtc - offsetOf(timeZone, asUtc);
	return asUtc - offsetOf(timeZone, near);
}

/** Without one, the engine would assume the year 2001. */
const hasYear = /\d{4}|\d[/.-]\d{1,2}[/.-]\d/;

const date =
	/^\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}|[a-z]{3,9}\.? \d{1,2},? \d{4}|\d{1,2} [a-z]{3,9}\.?,? \d{4}/i;

/** Whether a date's month does not have that day: the engine turns February 30 into March 2. */
function isNoDay(text: string): boolean {
	const [given] = date.exec(text) ?? [];
	const read = new Date(`${given} UTC`);
	if (!given || Number.isNaN(read.getTime())) return false;
	const numbers = (given.match(/\d+/g) ?? []).map(Number);
	const month = read.toUTCString().slice(8, 11);
	const isMonth = numbers.includes(read.getUTCMonth() + 1) || given.includes(month);
	return !isMonth || !numbers.includes(read.getUTCDate());
}

/** Whether day and month could be swapped, as in 5/6/2026. */
function isAmbiguous(text: string): boolean {
	const [, one, other] = /^(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}\b/.exec(text) ?? [];
	return Number(one) <= 12 && Number(other) <= 12 && Number(one) !== Number(other);
}

/** How far a zone's clocks are ahead of UTC at a moment, in milliseconds. */
function offsetOf(timeZone: string, moment: number): number {
	const format = new Intl.DateTimeFormat('en-US', {
		timeZone,
		hourCycle: 'h23',
		year: 'numeric',
		month: 'numeric',
		day: 'numeric',
		hour: 'numeric',
		minute: 'numeric',
		second: 'numeric',
	});
	const parts = new Map(
		format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]),
	);
	const [year, month, day, hour, minute, second] = [
		'year',
		'month',
		'day',
		'hour',
		'minute',
		'second',
	].map((type) => parts.get(type as Intl.DateTimeFormatPartTypes) ?? 0);
	return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
}
