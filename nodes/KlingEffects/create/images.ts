import type { IBinaryData, IBinaryKeyData, IExecuteFunctions } from 'n8n-workflow';
import { decodeBase64 } from '../../kling/image/base64';
import { checkFileSize, checkImage } from '../../kling/image/check';
import { checkImageUrl, InputError, reasonOf } from '../../kling/input';
import type { EffectType } from '../../kling/scenes';
import { shownText } from '../../kling/http';
import type { Parameters } from '../../n8n/parameters';
import { showsLeftAndRight } from './imageFields';

/**
 * Loads an image in the form in which it is sent.
 *
 * @throws InputError if it cannot be sent
 */
export type LoadImage = () => string | Promise<string>;

const first = { parameter: 'image', fieldParameter: 'imageField' };
const second = { parameter: 'secondImage', fieldParameter: 'secondImageField' };

interface ReadImages {
	images: LoadImage[];
	/** What the parameters say. */
	texts: string[];
	/** The file name of the first photo, without its extension. */
	photo: string | null;
}

/**
 * Evaluates the image parameters of one item, once. The images themselves are not read yet.
 *
 * @param effectType null if unknown: then there are two images if a second one is given
 * @throws InputError
 */
export function readImages(
	context: IExecuteFunctions,
	itemIndex: number,
	parameters: Parameters,
	effectType: EffectType | null,
	isFetchedFromInternet: boolean,
): ReadImages {
	const [firstName, secondName] = namesOf(context, effectType);
	const input = parameters.choice('imageInput', 'Image Input', {
		url: 'URL',
		binary: 'Binary File',
		base64: 'Base64',
	});
	const isFile = input === 'binary';
	const binary = context.getInputData()[itemIndex]?.binary ?? {};
	const images: LoadImage[] = [];
	const texts: string[] = [input];
	let photo: string | null = null;
	const slots = [
		{ ...first, displayName: firstName },
		{ ...second, displayName: secondName },
	];
	for (const slot of effectType === 'single' ? slots.slice(0, 1) : slots) {
		const { displayName, parameter, fieldParameter } = slot;
		const given = parameters.value(isFile ? fieldParameter : parameter, displayName) ?? '';
		const isOptional = effectType === null && parameter === second.parameter;
		if (!isFile) refuseFile(displayName, given, binary, isOptional);
		if (typeof given !== 'string') {
			throw isFile ? fileAsName(displayName, given, binary) : notOneText(displayName, given);
		}
		const isGiven = isFile ? fieldNamed(given, binary) !== undefined : given.trim() !== '';
		if (isOptional && !isGiven) continue;
		texts.push(given);
		if (parameter === first.parameter) photo = photoNameOf(input, given, binary);
		if (input === 'url') {
			const address = checkImageUrl(given, displayName, isFetchedFromInternet);
			images.push(() => address);
		} else if (input === 'base64') {
			images.push(() => judged(decodeBase64(given, displayName), displayName));
		} else {
			images.push(async () => await loadFile(context, itemIndex, given, displayName));
		}
	}
	return { images, texts, photo };
}

/** A photo's file name, without its extension, if it has one. */
function photoNameOf(input: string, given: string, binary: IBinaryKeyData): string | null {
	const field = input === 'binary' ? fieldNamed(given, binary) : undefined;
	const name = input === 'url' ? lastSegmentOf(given.trim()) : field && binary[field].fileName;
	return name?.replace(/\.[a-z]{3,4}$/i, '') || null;
}

function lastSegmentOf(url: string): string | undefined {
	const [path] = url.split(/[?#]/);
	const [, name] = /^https?:\/\/[^/]+\/(?:.*\/)?([^/]+\.(?:jpe?g|png))$/i.exec(path) ?? [];
	try {
		return name && decodeURIComponent(name);
	} catch {
		return name;
	}
}

/** The on-screen names of both images. */
function namesOf(context: IExecuteFunctions, effectType: EffectType | null): string[] {
	const { effectScene } = context.getNode().parameters;
	const shown = Object(effectScene).value ?? effectScene;
	const showsTwo = effectType === 'dual' && showsLeftAndRight(shown);
	return showsTwo ? ['Left Image', 'Right Image'] : ['Image', 'Second Image'];
}

/**
 * The images of one item. Files are checked by their bytes, not their names; the picture behind a URL is
 * left to the provider.
 *
 * @throws InputError
 */
export async function loadImages(images: readonly LoadImage[]): Promise<string[]> {
	const loaded: string[] = [];
	for (const load of images) loaded.push(await load());
	return loaded;
}

/** As base64 without a prefix, the only form Kling takes (Kling's effects page, Modellix's effects page). */
function judged(bytes: Buffer, label: string): string {
	checkImage(bytes, label);
	return bytes.toString('base64');
}

/** Forms turn their labels into field names, including trailing blanks. */
function fieldNamed(entered: string, binary: IBinaryKeyData): string | undefined {
	const fields = Object.keys(binary);
	return (
		fields.find((name) => name === entered) ?? fields.find((name) => name.trim() === entered.trim())
	);
}

async function loadFile(
	context: IExecuteFunctions,
	itemIndex: number,
	entered: string,
	displayName: string,
): Promise<string> {
	const binary = context.getInputData()[itemIndex]?.binary ?? {};
	const field = fieldNamed(entered, binary);
	if (field === undefined) throw noSuchFile(displayName, entered.trim(), Object.keys(binary));
	const label = `the file “${binary[field].fileName ?? field}” in input field “${field}”`;
	const cannotRead = (thrown: unknown): never => {
		throw new InputError(
			`n8n can no longer read ${label}: ${reasonOf(thrown)}`,
			'Run the previous node again so that the file is available.',
		);
	};
	// Before reading it: a 300 MB video would use that much memory only to be refused.
	const size = await fileSizeOf(context, binary[field]).catch(cannotRead);
	checkFileSize(size, label);
	const bytes = await context.helpers.getBinaryDataBuffer(itemIndex, field).catch(cannotRead);
	return judged(bytes, label);
}

/** The size in bytes of a file in n8n's binary store, without loading it into memory. */
async function fileSizeOf({ helpers }: IExecuteFunctions, file: IBinaryData): Promise<number> {
	// Without an id, the file is in memory as base64.
	if (!file.id) return Buffer.byteLength(file.data, 'base64');
	const { fileSize } = await helpers.getBinaryMetadata(file.id);
	if (Number.isFinite(fileSize)) return fileSize;
	// The object store gives no length, so the bytes are counted as they stream by.
	let bytes = 0;
	for await (const chunk of await helpers.getBinaryStream(file.id)) bytes += chunk.length;
	return bytes;
}

/** Airtable, Notion and others give a list of attachments, each with its address under `url`. */
function notOneText(displayName: string, given: unknown): InputError {
	const isList = Array.isArray(given);
	const one: unknown = isList ? (given as unknown[])[0] : given;
	const path = `${isList ? '[0]' : ''}${'url' in Object(one) ? '.url' : ''}`;
	const advice = path
		? `Its expression gives ${isList ? 'a list' : 'an object'}: add ${path} at the end, before }}. `
		: '';
	return new InputError(
		`${displayName} must be a single URL or base64 text`,
		`${advice}For two images, choose a scene that takes two and enter one image in each field.`,
	);
}

/**
 * Refuses what an expression such as `{{ $binary.photo }}` gives instead of a file's content: its
 * description, where n8n stores it (`filesystem-v2:…`), or nothing; and the name of its field.
 */
function refuseFile(
	displayName: string,
	given: unknown,
	binary: IBinaryKeyData,
	isOptional: boolean,
): void {
	const fields = Object.keys(binary);
	const isDescription = 'mimeType' in Object(given);
	const text = typeof given === 'string' ? given.trim() : null;
	const isMissing = text === '' && fields.length > 0 && !isOptional;
	const isPlace =
		text !== null && (/^(filesystem(-v2)?|s3|database)(:|$)/.test(text) || fields.includes(text));
	if (!isDescription && !isMissing && !isPlace) return;
	throw new InputError(
		isMissing
			? `${displayName} is empty, but the item has a file`
			: `${displayName} contains a reference to a file, not its content`,
		`Set Image Input to Binary File, and enter the name of the field that holds the file: ${fields.join(' or ') || 'data'}`,
	);
}

/** An expression such as `{{ $binary.photo }}` gives the file itself, but the field's name is needed. */
function fileAsName(displayName: string, given: unknown, binary: IBinaryKeyData): InputError {
	const { fileName, mimeType } = Object(given) as Partial<IBinaryData>;
	const fields = Object.keys(binary);
	const field =
		fields.find(
			(name) => binary[name].fileName === fileName && binary[name].mimeType === mimeType,
		) ?? fields[0];
	return new InputError(
		`${displayName}: Field Name contains the file itself, not the name of its field`,
		`Enter the field's name as text: ${field ?? 'data'}`,
	);
}

function noSuchFile(displayName: string, field: string, present: string[]): InputError {
	const found =
		present.length > 0
			? `The item has files in: ${present.join(', ')}.`
			: 'The item has no files: connect a node that outputs one, such as Read/Write Files from Disk or HTTP Request.';
	return new InputError(
		`The item has no file in input field “${shownText(field) ?? ''}” for ${displayName}`,
		`Enter the name of the field that holds the file. ${found}`,
	);
}
