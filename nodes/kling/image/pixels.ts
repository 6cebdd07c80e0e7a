import type { ImageType } from './type';

/** The sides of a picture as stored. A viewer may rotate it, but the limits are the same for both sides. */
export interface Pixels {
	width: number;
	height: number;
}

/** What comes before the coded picture. */
interface Headers {
	stored: Pixels | null;
	/** Where the coded picture starts; the end of the file or beyond if there is none. */
	dataAt: number;
}

/** Marker codes of a JPEG, the byte after 0xFF (ITU-T T.81, table B.1). */
const startOfScan = 0xda;
/** Three other markers lie among the frame headers SOF0 to SOF15: DHT, JPG and DAC. */
const noFrame = [0xc4, 0xc8, 0xcc];

/**
 * The size of a picture (null if its headers do not give it), and where its coded data starts. Reads only
 * the headers, and never throws.
 */
export function readPixels(
	bytes: Buffer,
	type: ImageType,
): { pixels: Pixels | null; dataAt: number } {
	const { stored, dataAt } = type === 'JPEG' ? readJpeg(bytes) : readPng(bytes);
	return { pixels: stored?.width && stored.height ? stored : null, dataAt };
}

/** Segments are skipped by their length, so a thumbnail inside one is never mistaken for the picture. */
function readJpeg(bytes: Buffer): Headers {
	const found: Headers = { stored: null, dataAt: bytes.length };
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
	}
	return found;
}

/** PNG specification (third edition) 5.3, 11.2.1: IHDR is the first chunk. */
function readPng(bytes: Buffer): Headers {
	const found: Headers = { stored: null, dataAt: bytes.length };
	for (let at = 8; at + 12 <= bytes.length;) {
		const type = bytes.toString('latin1', at + 4, at + 8);
		if (type === 'IDAT') return { ...found, dataAt: at };
		const end = at + 8 + bytes.readUInt32BE(at);
		if (type === 'IHDR' && at + 16 <= bytes.length) {
			found.stored ??= { width: bytes.readUInt32BE(at + 8), height: bytes.readUInt32BE(at + 12) };
		}
		at = end + 4;
	}
	return found;
}

/** The coded picture of a PNG, in consecutive IDAT chunks (PNG specification 11.2.4), as far as present. */
export function pngData(bytes: Buffer, dataAt: number): Buffer {
	const parts: Buffer[] = [];
	for (let at = dataAt; bytes.toString('latin1', at + 4, at + 8) === 'IDAT';) {
		const end = at + 8 + bytes.readUInt32BE(at);
		parts.push(bytes.subarray(at + 8, end));
		at = end + 4;
	}
	return Buffer.concat(parts);
}
