import type { IBinaryData, IBinaryKeyData, IExecuteFunctions } from 'n8n-workflow';
import { decodeBase64 } from '../../kling/image/base64';
import { checkFileSize, checkImage } from '../../kling/image/check';
import { checkImageUrl } from '../../kling/image/url';
import { InputError, reasonOf } from '../../kling/input';
import type { EffectType } from '../../kling/scenes';
import type { Parameters } from '../../n8n/parameters';

/**
 * Loads an image as the provider will get it.
 *
 * @throws InputError when it cannot be sent
 */
export type LoadImage = () => string | Promise<string>;

/** The images of an item, by their names on screen. */
const slots = {
	single: [{ displayName: 'Image', parameter: 'image', fieldParameter: 'imageField' }],
	dual: [
		{ displayName: 'Left Image', parameter: 'image', fieldParameter: 'imageField' },
		{ displayName: 'Right Image', parameter: 'secondImage', fieldParameter: 'secondImageField' },
	],
} as const;

/**
 * Evaluates the image parameters of one item, once. What they refer to is not read yet.
 *
 * @throws InputError
 */
export function readImages(
	context: IExecuteFunctions,
	itemIndex: number,
	parameters: Parameters,
	effectType: EffectType,
	isFetchedFromInternet: boolean,
): LoadImage[] {
	const input = parameters.choice('imageInput', 'Image Input', {
		url: 'URL',
		binary: 'Binary File',
		base64: 'Base64',
	});
	const images: LoadImage[] = [];
	for (const { displayName, parameter, fieldParameter } of slots[effectType]) {
		const isFile = input === 'binary';
		const name = isFile ? fieldParameter : parameter;
		const given = parameters.value(name, displayName) ?? '';
		if (typeof given !== 'string') {
			const binary = context.getInputData()[itemIndex]?.binary ?? {};
			throw isFile ? fileAsName(displayName, given, binary) : notOneText(displayName);
		}
		images.push(
			{
				url: () => checkImageUrl(given, displayName, isFetchedFromInternet),
				base64: () => judged(decodeBase64(given, displayName), displayName),
				binary: async () => await loadFile(context, itemIndex, given, displayName),
			}[input],
		);
	}
	return images;
}

/**
 * The images of one item. Bytes are judged, not file names; a URL's picture is left to the provider.
 *
 * @throws InputError
 */
export async function loadImages(images: readonly LoadImage[]): Promise<string[]> {
	const loaded: string[] = [];
	for (const load of images) loaded.push(await load());
	return loaded;
}

/** As base64 without a prefix, which alone Kling takes (Kling's effects page, Modellix's effects page). */
function judged(bytes: Buffer, label: string): string {
	checkImage(bytes, label);
	return bytes.toString('base64');
}

async function loadFile(
	context: IExecuteFunctions,
	itemIndex: number,
	entered: string,
	displayName: string,
): Promise<string> {
	const binary = context.getInputData()[itemIndex]?.binary ?? {};
	const fields = Object.keys(binary);
	// Forms make fields of their labels, blanks at the end included.
	const field =
		fields.find((name) => name === entered) ??
		fields.find((name) => name.trim() === entered.trim());
	if (field === undefined) throw noSuchFile(displayName, entered.trim(), fields);
	const label = `the file “${binary[field].fileName ?? field}” in input field “${field}”`;
	const cannotRead = (thrown: unknown): never => {
		throw new InputError(
			`n8n can no longer read ${label}: ${reasonOf(thrown)}`,
			'Run the node before this one again, so that the file is there.',
		);
	};
	// Before it is read: a video of 300 MB would take that much memory only to be refused.
	const size = await fileSizeOf(context, binary[field]).catch(cannotRead);
	checkFileSize(size, label);
	const bytes = await context.helpers.getBinaryDataBuffer(itemIndex, field).catch(cannotRead);
	return judged(bytes, label);
}

/** Bytes of a file in n8n's binary store, without holding it in memory. */
async function fileSizeOf({ helpers }: IExecuteFunctions, file: IBinaryData): Promise<number> {
	// Without an id the file is in memory, as base64.
	if (!file.id) return Buffer.byteLength(file.data, 'base64');
	const { fileSize } = await helpers.getBinaryMetadata(file.id);
	if (Number.isFinite(fileSize)) return fileSize;
	// An object store that names no length: then the bytes are counted as they pass by.
	let bytes = 0;
	for await (const chunk of await helpers.getBinaryStream(file.id)) bytes += chunk.length;
	return bytes;
}

function notOneText(displayName: string): InputError {
	return new InputError(
		`${displayName} takes one image, as text`,
		'For two images, choose a scene that takes two and enter one image in each field.',
	);
}

/** An expression such as `{{ $binary.photo }}` gives the file where its field is asked for. */
function fileAsName(displayName: string, given: unknown, binary: IBinaryKeyData): InputError {
	const { fileName, mimeType } = Object(given) as Partial<IBinaryData>;
	const fields = Object.keys(binary);
	const field =
		fields.find(
			(name) => binary[name].fileName === fileName && binary[name].mimeType === mimeType,
		) ?? fields[0];
	return new InputError(
		`${displayName}: Field Name holds the file itself, not the name of its field`,
		`Enter the field's name as text: ${field ?? 'data'}`,
	);
}

function noSuchFile(displayName: string, field: string, present: string[]): InputError {
	const found =
		present.length > 0
			? `The item has files in: ${present.join(', ')}.`
			: 'The item has no files: connect a node that gives one, such as Read/Write Files from Disk or HTTP Request.';
	return new InputError(
		`The item has no file in input field “${field}” for ${displayName}`,
		`Enter the name of the field that holds the file. ${found}`,
	);
}
