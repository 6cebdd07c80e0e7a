import { latin1, u32, u8 } from './bytes';
import { swapsSides } from './exif';
import type { Flaw, Reading } from './types';

/** PNG specification (third edition) 5.2. */
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Length, type and CRC: what a chunk takes besides its data (5.3). */
const CHUNK_OVERHEAD = 12;

/** libpng's PNG_USER_WIDTH_MAX and PNG_USER_HEIGHT_MAX; no common reader goes beyond. */
const MAX_SIDE = 1_000_000;

/** Deflate's best: 258 bytes (RFC 1951 3.2.5) from two codes of one bit each. */
const MAX_DEFLATE_RATIO = 1032;

/** Allowed bit depths and samples per pixel by colour type (11.2.1). */
const COLOUR_TYPES: Record<number, { depths: number[]; samples: number }> = {
	0: { depths: [1, 2, 4, 8, 16], samples: 1 },
	2: { depths: [8, 16], samples: 3 },
	3: { depths: [1, 2, 4, 8], samples: 1 },
	4: { depths: [8, 16], samples: 2 },
	6: { depths: [8, 16], samples: 4 },
};
const PALETTE_COLOUR_TYPE = 3;

interface Header {
	width: number;
	height: number;
	bitsPerPixel: number;
	needsPalette: boolean;
	maxPaletteEntries: number;
}

/** What the walk has met so far. */
interface Walk {
	header: Header | null;
	palette: boolean;
	/** null until the first sound eXIf chunk (11.3.4.5); readers look for it before IDAT only. */
	swapsSides: boolean | null;
	dataChunks: number;
	dataBytes: number;
}

/** Whether the data starts with the PNG signature. */
export function isPng(bytes: Uint8Array): boolean {
	return SIGNATURE.every((byte, at) => bytes[at] === byte);
}

/**
 * Reads a PNG from its signature to its IEND chunk, and every check sum on the way that readers
 * insist on. An APNG is a PNG whose extra chunks (acTL, fcTL, fdAT) older readers step over.
 * What follows IEND is nobody's business, as with libpng.
 */
export function readPng(bytes: Uint8Array): Reading | null {
	if (!isPng(bytes)) return null;
	const none = { header: null, palette: false, swapsSides: null };
	const walk: Walk = { ...none, dataChunks: 0, dataBytes: 0 };
	const flaw = walkToEnd(bytes, walk) ?? flawOfWhole(walk);
	if (flaw !== null || walk.header === null) return { format: 'png', flaw: flaw ?? 'damaged' };
	const { width, height } = walk.header;
	const [shownWidth, shownHeight] = walk.swapsSides ? [height, width] : [width, height];
	const facts = { width: shownWidth, height: shownHeight, bytes: bytes.length };
	return { format: 'png', facts: { format: 'png', ...facts } };
}

function walkToEnd(bytes: Uint8Array, walk: Walk): Flaw | null {
	let at = SIGNATURE.length;
	for (;;) {
		if (at + CHUNK_OVERHEAD > bytes.length) return 'cutOff';
		const type = latin1(bytes, at + 4, 4);
		if (!/^[A-Za-z]{4}$/.test(type)) return 'damaged';
		if ((walk.header === null) !== (type === 'IHDR')) return 'damaged';
		const end = at + CHUNK_OVERHEAD + u32(bytes, at);
		if (end > bytes.length) return 'cutOff';
		const sound = crc32(bytes, at + 4, end - 4) === u32(bytes, end - 4);
		const flaw = takeChunk(type, bytes.subarray(at + 8, end - 4), sound, walk);
		if (flaw !== null) return flaw;
		if (type === 'IEND') return null;
		at = end;
	}
}

/** A capital first letter makes a chunk critical (5.4): it must be sound and known. */
function takeChunk(type: string, data: Uint8Array, sound: boolean, walk: Walk): Flaw | null {
	if (/^[a-z]/.test(type)) {
		const counts = type === 'eXIf' && sound && walk.dataChunks === 0;
		if (counts) walk.swapsSides ??= swapsSides(data);
		return null;
	}
	if (!sound) return 'damaged';
	if (type === 'IHDR') return takeHeader(data, walk);
	if (type === 'PLTE') return takePalette(data, walk);
	if (type === 'IDAT') return takeData(data, walk);
	return type === 'IEND' && data.length === 0 ? null : 'damaged';
}

/** Source: 11.2.1. */
function takeHeader(data: Uint8Array, walk: Walk): Flaw | null {
	if (data.length !== 13) return 'damaged';
	const width = u32(data, 0);
	const height = u32(data, 4);
	const depth = u8(data, 8);
	const colourType = u8(data, 9);
	const colour = COLOUR_TYPES[colourType];
	if (colour === undefined || !colour.depths.includes(depth)) return 'damaged';
	if (u8(data, 10) !== 0 || u8(data, 11) !== 0 || u8(data, 12) > 1) return 'damaged';
	if (Math.min(width, height) < 1 || Math.max(width, height) > MAX_SIDE) return 'damaged';
	const needsPalette = colourType === PALETTE_COLOUR_TYPE;
	const bitsPerPixel = depth * colour.samples;
	const maxPaletteEntries = needsPalette ? 2 ** depth : 256;
	walk.header = { width, height, bitsPerPixel, needsPalette, maxPaletteEntries };
	return null;
}

/** Source: 11.2.2. */
function takePalette(data: Uint8Array, walk: Walk): Flaw | null {
	const entries = data.length / 3;
	const max = walk.header?.maxPaletteEntries ?? 0;
	if (!Number.isInteger(entries) || entries < 1 || entries > max) return 'damaged';
	walk.palette = true;
	return null;
}

function takeData(data: Uint8Array, walk: Walk): Flaw | null {
	if (walk.header?.needsPalette && !walk.palette) return 'damaged';
	walk.dataChunks++;
	walk.dataBytes += data.length;
	return null;
}

/** Whether the compressed data can hold the picture at all. */
function flawOfWhole({ header, dataBytes }: Walk): Flaw | null {
	if (header === null) return 'damaged';
	const pictureBytes = (header.width * header.height * header.bitsPerPixel) / 8;
	return dataBytes * MAX_DEFLATE_RATIO >= pictureBytes ? null : 'cutOff';
}

/** CRC-32 as in PNG annex D, over the bytes from `start` up to `end`. */
function crc32(bytes: Uint8Array, start: number, end: number): number {
	let crc = 0xffffffff;
	for (let at = start; at < end; at++) {
		crc = (CRC_TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
	}
	return (crc ^ 0xffffffff) >>> 0;
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, index) => {
	let entry = index;
	for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? 0xedb88320 ^ (entry >>> 1) : entry >>> 1;
	return entry;
});
