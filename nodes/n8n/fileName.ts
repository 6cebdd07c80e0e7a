import { isMadeId } from '../kling/create/identity';
import type { Task } from '../kling/task';

/** Characters. */
const longestName = 120;

/**
 * “order-4711-hug_pro.mp4”: the user's own id or the photo's name, and the scene; without either, the
 * task id. In characters that every file system accepts.
 */
export function fileNameOf(
	{ effectScene, externalTaskId, taskId }: Task,
	photo: string | null,
	number: string,
): string {
	const id = externalTaskId && !isMadeId(externalTaskId) ? externalTaskId : null;
	// Nothing would be left of emoji or symbols alone.
	const own = [id, photo].find((name) => name && /[\p{L}\p{N}]/u.test(name));
	const parts = own ? [own, effectScene] : [effectScene ?? 'kling-effect', taskId];
	const [first, second] = parts.map(fitting);
	// The user's own id may already end in the scene, so that Get Many and the trigger show it.
	const said = first.endsWith(second) ? [first] : [first, second];
	const name = [...said, number].filter(Boolean).join('-');
	return `${name.replace(/^[.-]+/, '').replace(reserved, '_$&')}.mp4`;
}

/** Windows treats these as devices, whatever follows the first dot. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.)/i;

/** Linux allows 255 bytes, in UTF-8, for a whole name. */
const mostBytes = 118;

function fitting(part: string | null): string {
	// Macs write an umlaut as a letter and a mark, and Hindi uses marks.
	const letters = (part ?? '').normalize('NFC').replace(/[^\p{L}\p{M}\p{N}_.’-]+/gu, '_');
	const kept = [...letters].slice(0, longestName / 2 - 5);
	while (Buffer.byteLength(kept.join('')) > mostBytes) kept.pop();
	return kept.join('');
}
