import './sources';
import './environment';
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { IBinaryData } from 'n8n-workflow';
import { findScene } from '../sandbox/scenes';
import { runNode } from './engine';

/** How many photos a scene takes; one if it is not in the list. */
export function photosOf(scene: string): number {
	return findScene(scene)?.images ?? 1;
}

/** A clip to make of photos on disk. */
export interface Wish {
	/** Of the Create operation, without the photos. */
	parameters: Record<string, unknown>;
	photos: string[];
	credential: Record<string, unknown>;
}

/** What the node gave out. */
export interface Clip {
	json: Record<string, unknown>;
	bytes: Buffer;
}

/**
 * Runs the node in n8n's execution engine on an item that has the photos as files.
 *
 * @throws Error with what the node says in the editor
 */
export async function makeClip({ parameters, photos, credential }: Wish): Promise<Clip> {
	const files = photos.map((photo, index) => [index === 0 ? 'data' : 'data2', fileOf(photo)]);
	const items = [{ json: {}, binary: Object.fromEntries(files) as Record<string, IBinaryData> }];
	const { error, items: made } = await runNode({ parameters, credential, items, mode: 'manual' });
	if (error) throw new Error([error.message, error.description].filter(Boolean).join('\n'));
	const [item] = made;
	if (item?.json.status !== 'succeed' || !item.binary?.data) {
		throw new Error(`The node gave no finished task with its video: ${JSON.stringify(item?.json)}`);
	}
	return { json: item.json, bytes: Buffer.from(item.binary.data.data, 'base64') };
}

function fileOf(photo: string): IBinaryData {
	const fileExtension = extname(photo).slice(1).toLowerCase();
	return {
		data: readFileSync(photo).toString('base64'),
		mimeType: fileExtension === 'png' ? 'image/png' : 'image/jpeg',
		fileName: basename(photo),
		fileExtension,
	};
}
