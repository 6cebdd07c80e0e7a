import type { ImageType } from './type';

/** Sides of a picture as it is displayed: EXIF orientations 5 to 8 turn what is stored by 90°. */
export interface Pixels {
	width: number;
	height: number;
}

/** What stands in front of the coded picture. */
interface Headers {
	stored: Pixels | null;
	/** Of the first EXIF block: some cameras write two, readers use the first. */
	orientation: number | null;
	/** Where the coded picture starts; the end of the file or beyond, where there is none. */
	dataAt: number;
}

/** Marker codes of a JPEG, the byte after 0xFF (ITU-T T.81, table B.1). */
const application1 = 0xe1;
const startOfScan = 0xda;
/** Among the frame headers SOF0 to SOF15 stand three other markers: DHT, JPG and DAC. */
const noFrame = [0xc4, 0xc8, 0xcc];
const exifMark = Buffer.from('Exif\0\0', 'latin1');
const orientationTag = 0x0112;

/**
 * The size of a picture, null where its headers do not tell it, and where its coded data starts.
 * Reads the headers alone, and never throws.
 */
export function readPixels(
	bytes: Buffer,
	type: ImageType,
): { pixels: Pixels | null; dataAt: number } {
	const { stored, orientation, dataAt } = type === 'JPEG' ? readJpeg(bytes) : readPng(bytes);
	if (!stored || stored.width === 0 || stored.height === 0) return { pixels: null, dataAt };
	const isTurned = orientation !== null && orientation >= 5 && orientation <= 8;
	const pixels = isTurned ? { width: stored.height, height: stored.width } : stored;
	return { pixels, dataAt };
}

/** Segments are stepped over by their length, so a thumbnail in one is never taken for the picture. */
function readJpeg(bytes: Buffer): Headers {
	const found: Headers = { stored: null, orientation: null, dataAt: bytes.length };
	for (let at = bytes.indexOf(0xff, 2); at !== -1; at = bytes.indexOf(0xff, at)) {
		while (bytes[at] === 0xff) at++;
		if (at + 3 > bytes.length) break;
		const marker = bytes[at];
		const start = at + 3;
		if (marker === 0) continue;
		if (marker === startOfScan) return { ...found, dataAt: start };
		at += 1 + bytes.readUInt16BE(at + 1);
		const isFrame = marker >= 0xc0 && marker <= 0xcf && !noFrame.includes(marker);
		if (isFrame && start + 5 <= bytes.length) {
			const [height, width] = [bytes.readUInt16BE(start + 1), bytes.readUInt16BE(start + 3)];
			found.stored ??= { width, height };
		}
		if (marker !== application1) continue;
		const tiff = start + exifMark.length;
		if (bytes.subarray(start, tiff).equals(exifMark)) {
			found.orientation ??= orientationOf(bytes.subarray(tiff, at));
		}
	}
	return found;
}

/** PNG specification (third edition) 5.3, 11.2.1, 11.3.4.5: IHDR is the first chunk, eXIf precedes IDAT. */
function readPng(bytes: Buffer): Headers {
	const found: Headers = { stored: null, orientation: null, dataAt: bytes.length };
	for (let at = 8; at + 12 <= bytes.length;) {
		const type = bytes.toString('latin1', at + 4, at + 8);
		if (type === 'IDAT') return { ...found, dataAt: at };
		const end = at + 8 + bytes.readUInt32BE(at);
		if (type === 'IHDR' && at + 16 <= bytes.length) {
			found.stored ??= { width: bytes.readUInt32BE(at + 8), height: bytes.readUInt32BE(at + 12) };
		}
		if (type === 'eXIf') found.orientation ??= orientationOf(bytes.subarray(at + 8, end));
		at = end + 4;
	}
	return found;
}

/** The coded picture of a PNG, which consecutive IDAT chunks share (PNG specification 11.2.4), as far as it is there. */
export function pngData(bytes: Buffer, dataAt: number): Buffer {
	const parts: Buffer[] = [];
	for (let at = dataAt; bytes.toString('latin1', at + 4, at + 8) === 'IDAT';) {
		const end = at + 8 + bytes.readUInt32BE(at);
		parts.push(bytes.subarray(at + 8, end));
		at = end + 4;
	}
	return Buffer.concat(parts);
}

/**
 * The orientation in an EXIF block, 1 where it names none or does not follow the format, as browsers
 * have it. Source: Exif 2.32 (CIPA DC-008) 4.5.2 for the TIFF structure, 4.6.4 A for the tag.
 */
function orientationOf(tiff: Buffer): number {
	if (tiff.length < 10) return 1;
	const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
	const order = view.getUint16(0);
	const little = order === 0x4949;
	const directory = view.getUint32(4, little);
	const isTiff = (little || order === 0x4d4d) && view.getUint16(2, little) === 42;
	if (!isTiff || directory + 2 > tiff.length) return 1;
	const end = directory + 2 + view.getUint16(directory, little) * 12;
	for (let at = directory + 2; at + 12 <= Math.min(end, tiff.length); at += 12) {
		if (view.getUint16(at, little) !== orientationTag) continue;
		const isOneShort = view.getUint16(at + 2, little) === 3 && view.getUint32(at + 4, little) === 1;
		return isOneShort ? view.getUint16(at + 8, little) : 1;
	}
	return 1;
}
