/** What somebody threw, as one short line. Never throws itself. */
export function reasonOf(thrown: unknown): string {
	const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
	return text.split('\n')[0].slice(0, 200).replace(/\.$/, '') || 'no reason given';
}
