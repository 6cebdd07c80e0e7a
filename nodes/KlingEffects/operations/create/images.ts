import type { IBinaryData, IBinaryKeyData, IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod';
import { accepted, refused, type Checked } from '../../../kling/checked';
import { checkFileSize, checkImage, checkImageUrl, normaliseBase64 } from '../../../kling/image';
import type { EffectType } from '../../../kling/scenes';
import { fileSizeOf } from '../../../n8n/fileSize';
import { reasonOf } from '../../../kling/thrown';
import { readParameters } from '../../../n8n/parameters';

/** One image of an item, with its parameter evaluated: an address, base64 text, or the input field of a file. */
export interface ImageSource {
	input: ImageInput;
	displayName: string;
	given: string;
}

type ImageInput = keyof typeof loaders;

const loaders = { url: loadUrl, binary: loadFile, base64: loadBase64 };

const first = { parameter: 'image', fieldParameter: 'imageField' } as const;
const second = { parameter: 'secondImage', fieldParameter: 'secondImageField' } as const;
const slots = {
	single: [{ ...first, displayName: 'Image' }],
	dual: [
		{ ...first, displayName: 'Left Image' },
		{ ...second, displayName: 'Right Image' },
	],
};

/** Evaluates the image parameters of one item, once. What they refer to is not read yet. */
export function readImages(
	context: IExecuteFunctions,
	itemIndex: number,
	effectType: EffectType,
): Checked<ImageSource[]> {
	const read = readParameters(context, itemIndex, { imageInput: z.unknown() });
	if (!read.ok) return read;
	const input = String(read.value.imageInput ?? 'url') as ImageInput;
	if (!Object.hasOwn(loaders, input)) {
		return refused(`Image Input “${input}” is not known`, 'Choose URL, Binary File or Base64.');
	}
	const sources: ImageSource[] = [];
	for (const slot of slots[effectType]) {
		const name = input === 'binary' ? slot.fieldParameter : slot.parameter;
		const { displayName } = slot;
		const parameter = readParameters(context, itemIndex, {
			[name]: z.unknown().describe(displayName),
		});
		if (!parameter.ok) return parameter;
		const given = parameter.value[name] ?? '';
		if (typeof given !== 'string') {
			if (input !== 'binary') return refuseList(slot);
			return refuseFile(slot, given, context.getInputData()[itemIndex]?.binary ?? {});
		}
		sources.push({ input, displayName, given });
	}
	return accepted(sources);
}

/**
 * Loads and checks the images of one item: as the provider will get them, or why they cannot be
 * sent. Bytes are judged, not file names; a URL's picture is left to the provider. Never throws.
 */
export async function loadImages(
	context: IExecuteFunctions,
	itemIndex: number,
	sources: readonly ImageSource[],
): Promise<Checked<string[]>> {
	const images: string[] = [];
	for (const source of sources) {
		const loaded = await loaders[source.input](source, context, itemIndex);
		if (!loaded.ok) return loaded;
		images.push(loaded.value);
	}
	return accepted(images);
}

function loadUrl({ given, displayName }: ImageSource): Checked<string> {
	return checkImageUrl(given, displayName);
}

function loadBase64({ given, displayName }: ImageSource): Checked<string> {
	const checked = normaliseBase64(given, displayName);
	if (!checked.ok) return checked;
	return judged(Buffer.from(checked.value, 'base64'), displayName, checked.value);
}

async function loadFile(
	{ given, displayName }: ImageSource,
	context: IExecuteFunctions,
	itemIndex: number,
): Promise<Checked<string>> {
	const field = given.trim();
	const binary = context.getInputData()[itemIndex]?.binary ?? {};
	if (!Object.hasOwn(binary, field)) return refuseField(displayName, field, Object.keys(binary));
	const label = `the file “${binary[field].fileName ?? field}” in input field “${field}”`;
	try {
		// Before it is read: a video of 300 MB would take that much memory only to be refused.
		const size = checkFileSize(await fileSizeOf(context, binary[field]), label);
		if (!size.ok) return size;
		const bytes = await context.helpers.getBinaryDataBuffer(itemIndex, field);
		return judged(bytes, label, bytes.toString('base64'));
	} catch (thrown) {
		return refused(
			`n8n can no longer read ${label}: ${reasonOf(thrown)}`,
			'Run the node before this one again, so that the file is there.',
		);
	}
}

function judged(bytes: Buffer, label: string, base64: string): Checked<string> {
	const checked = checkImage(bytes, label);
	return checked.ok ? accepted(base64) : checked;
}

function refuseList({ displayName }: { displayName: string }): Checked<never> {
	return refused(
		`${displayName} takes one image, as text`,
		'For two images, choose a scene that takes two and enter one image in each field.',
	);
}

/** An expression such as `{{ $binary.photo }}` gives the file where its field is asked for. */
function refuseFile(
	{ displayName }: { displayName: string },
	given: unknown,
	binary: IBinaryKeyData,
): Checked<never> {
	const { fileName, mimeType } = Object(given) as Partial<IBinaryData>;
	const field = Object.keys(binary).find(
		(name) => binary[name].fileName === fileName && binary[name].mimeType === mimeType,
	);
	return refused(
		`${displayName}: Field Name holds the file itself, not the name of its field`,
		`Enter the field's name as text: ${field ?? 'data'}`,
	);
}

function refuseField(displayName: string, field: string, present: string[]): Checked<never> {
	const found =
		present.length > 0
			? `The item has files in: ${present.join(', ')}.`
			: 'The item has no files: connect a node that gives one, such as Read/Write Files from Disk or HTTP Request.';
	return refused(
		`The item has no file in input field “${field}” for ${displayName}`,
		`Enter the name of the field that holds the file. ${found}`,
	);
}
