/** What the bytes of an image say about it. File name and declared MIME type play no part. */
export interface ImageFacts {
	format: 'jpeg' | 'png';
	/** Pixels, as displayed: EXIF orientations 5 to 8 turn the stored picture by 90°. */
	width: number;
	/** Pixels, as displayed. */
	height: number;
	/** Size of the file in bytes, before base64. */
	bytes: number;
}

/** Text for the user. Holds neither image data nor URLs, both can be secret or huge. */
export interface ImageProblem {
	/** What is wrong, with its figure and the limit. */
	message: string;
	/** What to do about it. */
	description: string;
}

export type Checked<T> = { ok: true; value: T } | { ok: false; problem: ImageProblem };

/**
 * Why a JPEG or PNG cannot be vouched for.
 * - `cutOff`: the data ends before the format's own end mark.
 * - `damaged`: the data contradicts the format, or itself.
 * - `uncommon`: a JPEG that common readers do not open (arithmetic, lossless, 12 bit, DNL).
 */
export type Flaw = 'cutOff' | 'damaged' | 'uncommon';

/** What a format's reader found out; it answers null when the bytes are another format. */
export type Reading =
	| { format: ImageFacts['format']; facts: ImageFacts }
	| { format: ImageFacts['format']; flaw: Flaw };

export function accepted<T>(value: T): Checked<T> {
	return { ok: true, value };
}

/** A refusal about `label`, which starts the sentence and so gets a capital letter. */
export function refused(label: string, finding: string, description: string): Checked<never> {
	const subject = label.charAt(0).toUpperCase() + label.slice(1);
	return { ok: false, problem: { message: `${subject} ${finding}`, description } };
}
