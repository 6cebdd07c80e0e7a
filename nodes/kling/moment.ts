const hasZone = /(Z|UTC|GMT|[ECMP][SD]T|\d{2}:\d{2}.*[+-]\d{2}:?\d{2})(\s*\([^)]*\))?$/i;

/**
 * What a text says of a moment, in milliseconds since 1970; NaN when it cannot be read. A time without a
 * zone, as n8n's picker stores it, is meant in `timeZone` and not in that of the machine.
 *
 * @param timeZone an IANA name, such as Europe/Berlin
 */
export function momentIn(timeZone: string, text: string): number {
	const trimmed = text.trim();
	if (hasZone.test(trimmed)) return Date.parse(trimmed);
	const isIso = /^\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?)?$/.test(trimmed);
	const asUtc = isIso
		? Date.parse(trimmed.replace(' ', 'T').replace(',', '.').replace(/T.*/, '$&Z'))
		: Date.parse(`${trimmed} UTC`);
	if (Number.isNaN(asUtc)) return NaN;
	// The clocks may have changed within the offset itself: then the second look is right.
	const near = asUtc - offsetOf(timeZone, asUtc);
	return asUtc - offsetOf(timeZone, near);
}

/** Milliseconds by which the clocks of a zone are ahead of UTC at a moment. */
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
