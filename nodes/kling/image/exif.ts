const ENTRY_BYTES = 12;
const ORIENTATION_TAG = 0x0112;
const TYPE_SHORT = 3;

/**
 * Whether an EXIF block turns its picture by 90°, so that width and height change places.
 *
 * Source: Exif 2.32 (CIPA DC-008) 4.5.2 for the TIFF structure, 4.6.4 A for Orientation
 * (tag 0x0112, SHORT, count 1; 1 to 4 keep the sides, 5 to 8 swap them). What does not
 * follow it counts as "not turned", which is what browsers do.
 *
 * @param tiff the block from its TIFF header on, without a leading `Exif\0\0`
 */
export function swapsSides(tiff: Uint8Array): boolean {
	const orientation = readOrientation(tiff);
	return orientation >= 5 && orientation <= 8;
}

function readOrientation(tiff: Uint8Array): number {
	if (tiff.length < 8) return 1;
	const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
	const byteOrder = view.getUint16(0);
	if (byteOrder !== 0x4949 && byteOrder !== 0x4d4d) return 1;
	const little = byteOrder === 0x4949;
	if (view.getUint16(2, little) !== 42) return 1;
	return orientationEntry(view, view.getUint32(4, little), little);
}

function orientationEntry(view: DataView, directory: number, little: boolean): number {
	if (directory + 2 > view.byteLength) return 1;
	const last = directory + 2 + view.getUint16(directory, little) * ENTRY_BYTES;
	const end = Math.min(last, view.byteLength);
	for (let at = directory + 2; at + ENTRY_BYTES <= end; at += ENTRY_BYTES) {
		if (view.getUint16(at, little) !== ORIENTATION_TAG) continue;
		const wellFormed =
			view.getUint16(at + 2, little) === TYPE_SHORT && view.getUint32(at + 4, little) === 1;
		return wellFormed ? view.getUint16(at + 8, little) : 1;
	}
	return 1;
}
