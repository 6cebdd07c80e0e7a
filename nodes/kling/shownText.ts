const longest = 300;
/** Characters that are looked at: enough to take keys out of what is shown, whatever follows. */
export const longestRead = 1_000_000;

/**
 * A provider's text, fit to be shown: one line, short, without picture data or keys that it repeats,
 * and without the brackets of tags, because n8n shows some texts as HTML. Null when nothing is left.
 */
export function shownText(text: unknown): string | null {
	if (typeof text !== 'string') return null;
	const line = text
		.slice(0, longestRead)
		.replace(/[A-Za-z0-9+/_=.-]{60,}/g, '…')
		.replace(/\b(sk|Bearer)[-\s][\w.*-]{6,}/g, '…')
		.replace(/</g, '‹')
		.replace(/>/g, '›')
		.replace(/\s+/g, ' ')
		.trim();
	if (line === '') return null;
	return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
