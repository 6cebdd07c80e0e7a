import type { IBinaryData, IBinaryKeyData, IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod';
import { accepted, refused, type Checked, type Refused } from '../../kling/checked';
import { checkFileSize, checkImage, checkImageUrl, decodeBase64 } from '../../kling/image';
import type { EffectType } from '../../kling/scenes';
import { reasonOf } from '../../kling/thrown';
import { fileSizeOf } from '../../n8n/fileSize';
import { choice, type Read } from '../../n8n/parameters';

/** Loads an image as the provider will get it, or says why it cannot be sent. Never throws. */
export type LoadImage = () => Checked<string> | Promise<Checked<string>>;

export const imageParameters = {
	imageInput: choice('Image Input', { url: 'URL', binary: 'Binary File', base64: 'Base64' }),
	image: { onDemand: z.unknown() },
	secondImage: { onDemand: z.unknown() },
	imageField: { onDemand: z.unknown() },
	secondImageField: { onDemand: z.unknown() },
};

/** The images of an item, by their names on screen. */
const slots = {
	single: [{ displayName: 'Image', parameter: 'image', fieldParameter: 'imageField' }],
	dual: [
		{ displayName: 'Left Image', parameter: 'image', fieldParameter: 'imageField' },
		{ displayName: 'Right Image', parameter: 'secondImage', fieldParameter: 'secondImageField' },
	],
} as const;

/** Evaluates the image parameters of one item, once. What they refer to is not read yet. */
export function readImages(
	context: IExecuteFunctions,
	itemIndex: number,
	parameters: Read<typeof imageParameters>,
	effectType: EffectType,
	isFetchedFromInternet: boolean,
): Checked<LoadImage[]> {
	const { imageInput } = parameters;
	const images: LoadImage[] = [];
	for (const { displayName, parameter, fieldParameter } of slots[effectType]) {
		const isFile = imageInput === 'binary';
		const read = parameters[isFile ? fieldParameter : parameter](displayName);
		if (!read.ok) return read;
		const given = read.value ?? '';
		if (typeof given !== 'string') {
			const binary = context.getInputData()[itemIndex]?.binary ?? {};
			return isFile ? refuseFile(displayName, given, binary) : refuseList(displayName);
		}
		images.push(
			{
				url: () => checkImageUrl(given, displayName, isFetchedFromInternet),
				base64: () => loadBase64(given, displayName),
				binary: async () => await loadFile(context, itemIndex, given.trim(), displayName),
			}[imageInput],
		);
	}
	return accepted(images);
}

/** The images of one item. Bytes are judged, not file names; a URL's picture is left to the provider. */
export async function loadImages(images: readonly LoadImage[]): Promise<Checked<string[]>> {
	const loaded: string[] = [];
	for (const load of images) {
		const image = await load();
		if (!image.ok) return image;
		loaded.push(image.value);
	}
	return accepted(loaded);
}

function loadBase64(given: string, displayName: string): Checked<string> {
	const bytes = decodeBase64(given, displayName);
	return bytes.ok ? judged(bytes.value, displayName) : bytes;
}

/** As base64 without a prefix, which alone Kling takes (Kling's effects page, Modellix's effects page). */
function judged(bytes: Buffer, label: string): Checked<string> {
	const image = checkImage(bytes, label);
	return image.ok ? accepted(bytes.toString('base64')) : image;
}

async function loadFile(
	context: IExecuteFunctions,
	itemIndex: number,
	field: string,
	displayName: string,
): Promise<Checked<string>> {
	const binary = context.getInputData()[itemIndex]?.binary ?? {};
	if (!Object.hasOwn(binary, field)) return refuseField(displayName, field, Object.keys(binary));
	const label = `the file “${binary[field].fileName ?? field}” in input field “${field}”`;
	try {
		// Before it is read: a video of 300 MB would take that much memory only to be refused.
		const size = checkFileSize(await fileSizeOf(context, binary[field]), label);
		if (!size.ok) return size;
		const bytes = await context.helpers.getBinaryDataBuffer(itemIndex, field);
		return judged(bytes, label);
	} catch (thrown) {
		return refused(
			`n8n can no longer read ${label}: ${reasonOf(thrown)}`,
			'Run the node before this one again, so that the file is there.',
		);
	}
}

function refuseList(displayName: string): Refused {
	return refused(
		`${displayName} takes one image, as text`,
		'For two images, choose a scene that takes two and enter one image in each field.',
	);
}

/** An expression such as `{{ $binary.photo }}` gives the file where its field is asked for. */
function refuseFile(displayName: string, given: unknown, binary: IBinaryKeyData): Refused {
	const { fileName, mimeType } = Object(given) as Partial<IBinaryData>;
	const field = Object.keys(binary).find(
		(name) => binary[name].fileName === fileName && binary[name].mimeType === mimeType,
	);
	return refused(
		`${displayName}: Field Name holds the file itself, not the name of its field`,
		`Enter the field's name as text: ${field ?? 'data'}`,
	);
}

function refuseField(displayName: string, field: string, present: string[]): Refused {
	const found =
		present.length > 0
			? `The item has files in: ${present.join(', ')}.`
			: 'The item has no files: connect a node that gives one, such as Read/Write Files from Disk or HTTP Request.';
	return refused(
		`The item has no file in input field “${field}” for ${displayName}`,
		`Enter the name of the field that holds the file. ${found}`,
	);
}
