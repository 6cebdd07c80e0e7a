import type { IBinaryData, IExecuteFunctions } from 'n8n-workflow';
import { checkFileSize, checkImage, checkImageUrl, normaliseBase64 } from '../../../kling/image';
import type { EffectType } from '../../../kling/scenes';
import { fileSizeOf } from '../../../n8n/fileSize';
import type { Problem } from '../../../n8n/problems';

/** How the images of an item come in: the node's parameter `imageInput`. */
export type ImageInput = 'url' | 'binary' | 'base64';

export type Loaded = { ok: true; images: string[] } | { ok: false; problem: Problem };

interface Slot {
	parameter: 'image' | 'secondImage';
	fieldParameter: 'imageField' | 'secondImageField';
	displayName: string;
}

const first: Slot = { parameter: 'image', fieldParameter: 'imageField', displayName: 'Image' };
const second: Slot = {
	parameter: 'secondImage',
	fieldParameter: 'secondImageField',
	displayName: 'Second Image',
};

/**
 * Reads and checks the images of one item: as the provider will get them, or why they cannot be
 * sent. Bytes are judged, not file names; a URL's picture is left to the provider.
 */
export async function loadImages(
	context: IExecuteFunctions,
	itemIndex: number,
	effectType: EffectType,
): Promise<Loaded> {
	const input = context.getNodeParameter('imageInput', itemIndex, 'url') as ImageInput;
	const images: string[] = [];
	for (const slot of effectType === 'dual' ? [first, second] : [first]) {
		if (!Object.hasOwn(loaders, input)) {
			return refuse(
				`Image Input “${String(input)}” is not known`,
				'Choose URL, Binary File or Base64.',
			);
		}
		const loaded = await loaders[input](context, itemIndex, slot);
		if (!loaded.ok) return loaded;
		images.push(...loaded.images);
	}
	return { ok: true, images };
}

const loaders: Record<
	ImageInput,
	(context: IExecuteFunctions, itemIndex: number, slot: Slot) => Loaded | Promise<Loaded>
> = { url: loadUrl, binary: loadFile, base64: loadBase64 };

function loadUrl(context: IExecuteFunctions, itemIndex: number, slot: Slot): Loaded {
	const text = textOf(context, itemIndex, slot);
	if (typeof text !== 'string') return refuseList(slot);
	const checked = checkImageUrl(text, slot.displayName);
	return checked.ok ? { ok: true, images: [checked.value] } : refuseImage(checked.problem);
}

function loadBase64(context: IExecuteFunctions, itemIndex: number, slot: Slot): Loaded {
	const text = textOf(context, itemIndex, slot);
	if (typeof text !== 'string') return refuseList(slot);
	const checked = normaliseBase64(text, slot.displayName);
	if (!checked.ok) return refuseImage(checked.problem);
	return judged(Buffer.from(checked.value, 'base64'), slot.displayName, checked.value);
}

async function loadFile(
	context: IExecuteFunctions,
	itemIndex: number,
	slot: Slot,
): Promise<Loaded> {
	const field = String(context.getNodeParameter(slot.fieldParameter, itemIndex, '')).trim();
	const binary = context.getInputData()[itemIndex]?.binary ?? {};
	const file: IBinaryData | undefined = binary[field];
	if (!file) return refuseField(slot, field, Object.keys(binary));
	const label = `the file “${file.fileName ?? field}” in input field “${field}”`;
	// Before it is read: a video of 300 MB would take that much memory, to be refused.
	const size = checkFileSize(await fileSizeOf(context, file), label);
	if (!size.ok) return refuseImage(size.problem);
	const bytes = await context.helpers.getBinaryDataBuffer(itemIndex, field);
	return judged(bytes, label, bytes.toString('base64'));
}

function judged(bytes: Buffer, label: string, base64: string): Loaded {
	const checked = checkImage(bytes, label);
	return checked.ok ? { ok: true, images: [base64] } : refuseImage(checked.problem);
}

function textOf(context: IExecuteFunctions, itemIndex: number, slot: Slot): unknown {
	return context.getNodeParameter(slot.parameter, itemIndex, '') ?? '';
}

function refuseList(slot: Slot): Loaded {
	return refuse(
		`${slot.displayName} takes one image, as text`,
		'For two images set Effect Type to Two Images and enter one image in each field.',
	);
}

function refuseField(slot: Slot, field: string, present: string[]): Loaded {
	const found =
		present.length > 0
			? `The item has files in: ${present.join(', ')}.`
			: 'The item has no files: connect a node that gives one, such as Read/Write Files from Disk or HTTP Request.';
	return refuse(
		`The item has no file in input field “${field}” for ${slot.displayName}`,
		`Enter the name of the field that holds the file. ${found}`,
	);
}

function refuseImage(problem: Problem): Loaded {
	return { ok: false, problem };
}

function refuse(message: string, description: string): Loaded {
	return { ok: false, problem: { message, description } };
}
