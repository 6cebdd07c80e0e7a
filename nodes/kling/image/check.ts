import { InputError, refusalOf } from '../input';
import { isWholeZlib } from './deflate';
import { pngData, readPixels, type Pixels } from './pixels';
import { checkSource, foreignTypeOf, imageTypeOf, type ImageType } from './type';

const megabyte = 1024 * 1024;

/**
 * What Kling accepts. Source: Kling's effects page ("File size: ≤10MB, dimensions: ≥300px, aspect ratio:
 * 1:2.5 ~ 2.5:1"), Modellix's effects page likewise; all bounds inclusive.
 */
export const imageLimits = {
	/**
	 * Bytes of the file itself, not of its base64. The pages do not say which megabyte they mean; the
	 * larger one never refuses a file that Kling would accept.
	 */
	maxBytes: 10 * megabyte,
	/** Pixels, each side. */
	minSide: 300,
	/** Longer side divided by shorter side. */
	maxRatio: 2.5,
} as const;

/** EOI (ITU-T T.81 B.2.1), which coded data cannot contain, and the IEND chunk (PNG specification 11.2.5). */
const endMarks: Record<ImageType, Buffer> = {
	JPEG: Buffer.from('ffd9', 'hex'),
	PNG: Buffer.from('0000000049454e44ae426082', 'hex'),
};

/**
 * Whether the coded picture is complete. What follows does not matter: phones append videos and depth
 * maps there. All viewers still show a PNG whose last chunk is missing or damaged.
 */
function isWhole(bytes: Buffer, type: ImageType, dataAt: number): boolean {
	if (bytes.includes(endMarks[type], dataAt)) return true;
	return type === 'PNG' && isWholeZlib(pngData(bytes, dataAt));
}

const saveAgain = 'Download or export the image again, or save it as a new file in an image app.';
const resize = ', for example with the Edit Image node.';

/** What kind of image it is, by its bytes: file name and declared type do not matter. */
export interface Image extends Pixels {
	type: ImageType;
}

/**
 * Checks an image file against what Kling accepts, before anything is paid. Takes at most linear time.
 * Whether its pixels can be decoded is left to Kling.
 *
 * @param label names the image in messages, such as `the file “cat.jpg” in input field “data”`
 * @throws InputError only for what Kling definitely does not accept
 */
export function checkImage(bytes: Buffer, label: string): Image {
	const type = imageTypeOf(bytes);
	if (type === null) throw foreignImage(bytes, label);
	checkFileSize(bytes.length, label);
	const { pixels, dataAt } = readPixels(bytes, type);
	if (!isWhole(bytes, type, dataAt)) {
		throw refusalOf(label, `is a ${type} image that is cut off: its end is missing`, saveAgain);
	}
	if (pixels === null) {
		throw refusalOf(label, `is a damaged ${type} image: its size is missing`, saveAgain);
	}
	checkSides(pixels, label);
	return { type, ...pixels };
}

/**
 * Checks the size of an image file, if known before it is read.
 *
 * @throws InputError
 */
export function checkFileSize(bytes: number, label: string): void {
	// An unknown size (NaN) is not too large.
	if (!(bytes > imageLimits.maxBytes)) return;
	const limit = imageLimits.maxBytes / megabyte;
	const finding = `is ${roundedUp(bytes / megabyte)} MB. Kling accepts at most ${limit} MB`;
	throw refusalOf(label, finding, `Make it smaller${resize}`);
}

function checkSides({ width, height }: Pixels, label: string): void {
	const [shorter, longer] = width < height ? [width, height] : [height, width];
	const size = `${width} × ${height} pixels`;
	const { minSide, maxRatio } = imageLimits;
	if (shorter < minSide) {
		const finding = `is ${size}. Kling needs at least ${minSide} pixels on each side`;
		throw refusalOf(label, finding, `Use a larger image, or enlarge it${resize}`);
	}
	if (longer > shorter * maxRatio) {
		const ratio = roundedUp(longer / shorter);
		const found = `is ${size}, a ratio of ${width > height ? `${ratio}:1` : `1:${ratio}`}`;
		const finding = `${found}. Kling accepts 1:${maxRatio} to ${maxRatio}:1`;
		throw refusalOf(label, finding, `Crop it${resize}`);
	}
}

function foreignImage(bytes: Buffer, label: string): InputError {
	if (bytes.length === 0) return refusalOf(label, 'is empty (0 bytes)', checkSource);
	const foreign = foreignTypeOf(bytes);
	const finding = foreign ? `is ${foreign.what}` : 'is neither a JPEG nor a PNG image';
	return refusalOf(
		label,
		`${finding}. Kling accepts JPEG and PNG only`,
		foreign?.advice ?? checkSource,
	);
}

/** Two decimals, rounded up: a value just over the limit must not look like the limit. */
function roundedUp(figure: number): number {
	return Math.ceil(figure * 100) / 100;
}
