import { recogniseForeign } from './foreign';
import { isJpeg, readJpeg } from './jpeg';
import { isPng, readPng } from './png';
import { accepted, type Checked } from '../checked';
import { refusedImage, type Flaw, type ImageFacts, type Reading } from './types';

const MEGABYTE = 1024 * 1024;

/**
 * What Kling takes. Source: Kling's effects page ("File size: ≤10MB, dimensions: ≥300px, aspect ratio:
 * 1:2.5 ~ 2.5:1"), Modellix's effects page likewise; all bounds inclusive.
 */
export const imageLimits = {
	/**
	 * Bytes of the file itself, not of its base64. The seeds do not say which megabyte they
	 * mean; the larger one never refuses a file that Kling would have taken.
	 */
	maxBytes: 10 * MEGABYTE,
	/** Pixels, each side. */
	minSide: 300,
	/** Longer side through shorter side. */
	maxRatio: 2.5,
} as const;

const KINDS = 'Kling accepts JPEG and PNG only.';
const CHECK_SOURCE = 'Check which file the node before this one hands over.';
const RESIZE = ', for example with the Edit Image node.';
const ANEW = 'Download or export the image again, or save it anew in an image app.';

const FLAWS: Record<Flaw, { finding: string; advice: string }> = {
	cutOff: {
		finding: 'is a FORMAT image that is cut off: a part of its data is missing.',
		advice: ANEW,
	},
	damaged: { finding: 'starts as a FORMAT image, but its data is damaged.', advice: ANEW },
	uncommon: {
		finding: 'is an uncommon kind of FORMAT (lossless, arithmetic-coded or not 8-bit).',
		advice: 'Save it as an ordinary JPEG or PNG in an image app, then use that file.',
	},
};

/**
 * Type and size of a JPEG or PNG, from its bytes alone.
 *
 * Takes time in proportion to the length at most, and never throws.
 *
 * @returns null for everything that it cannot vouch for: other formats, cut off or damaged files
 */
export function readImageFacts(bytes: Uint8Array): ImageFacts | null {
	const reading = read(bytes);
	return reading !== null && 'facts' in reading ? reading.facts : null;
}

function read(bytes: Uint8Array): Reading | null {
	return readJpeg(bytes) ?? readPng(bytes);
}

/**
 * Checks an image file against what Kling accepts, before anything is paid.
 *
 * @param label names the image in messages, such as `the file "cat.jpg" in field "data"`
 */
export function checkImage(bytes: Uint8Array, label: string): Checked<ImageFacts> {
	if (!isJpeg(bytes) && !isPng(bytes)) return refuseForeign(bytes, label);
	if (bytes.length > imageLimits.maxBytes) return refuseBytes(bytes.length, label);
	const reading = read(bytes);
	if (reading === null) return refuseForeign(bytes, label);
	if ('flaw' in reading) return refuseFlaw(reading, label);
	return checkSides(reading.facts, label);
}

function checkSides(facts: ImageFacts, label: string): Checked<ImageFacts> {
	const shorter = Math.min(facts.width, facts.height);
	const longer = Math.max(facts.width, facts.height);
	const size = `${facts.width} × ${facts.height} pixels`;
	if (shorter < imageLimits.minSide) {
		const limit = `Kling needs at least ${imageLimits.minSide} pixels on each side.`;
		return refusedImage(
			label,
			`is ${size}. ${limit}`,
			`Use a larger image, or enlarge it${RESIZE}`,
		);
	}
	if (longer > shorter * imageLimits.maxRatio) {
		const ratio = ratioText(facts.width, facts.height);
		const limit = `Kling accepts 1:${imageLimits.maxRatio} to ${imageLimits.maxRatio}:1.`;
		return refusedImage(label, `is ${size}, a ratio of ${ratio}. ${limit}`, `Crop it${RESIZE}`);
	}
	return accepted(facts);
}

function refuseForeign(bytes: Uint8Array, label: string): Checked<never> {
	if (bytes.length === 0) return refusedImage(label, 'is empty (0 bytes).', CHECK_SOURCE);
	const foreign = recogniseForeign(bytes);
	if (foreign !== null) return refusedImage(label, `is ${foreign.what}. ${KINDS}`, foreign.advice);
	return refusedImage(label, `is neither a JPEG nor a PNG image. ${KINDS}`, CHECK_SOURCE);
}

function refuseBytes(bytes: number, label: string): Checked<never> {
	const limit = imageLimits.maxBytes / MEGABYTE;
	const finding = `is ${roundedUp(bytes / MEGABYTE)} MB. Kling accepts at most ${limit} MB.`;
	return refusedImage(label, finding, `Make it smaller${RESIZE}`);
}

function refuseFlaw(reading: { format: string; flaw: Flaw }, label: string): Checked<never> {
	const { finding, advice } = FLAWS[reading.flaw];
	return refusedImage(label, finding.replace('FORMAT', reading.format.toUpperCase()), advice);
}

function ratioText(width: number, height: number): string {
	return width > height ? `${roundedUp(width / height)}:1` : `1:${roundedUp(height / width)}`;
}

/** Two decimals, upwards: a figure just over its limit must not read like the limit. */
function roundedUp(figure: number): number {
	return Math.ceil(figure * 100) / 100;
}
