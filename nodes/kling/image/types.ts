import { refused, type Refused } from '../checked';

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

/** A refusal about `label`, which starts the sentence and so gets a capital letter. */
export function refusedImage(label: string, finding: string, description: string): Refused {
	const subject = label.charAt(0).toUpperCase() + label.slice(1);
	return refused(`${subject} ${finding}`, description);
}
