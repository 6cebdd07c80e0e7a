import { latin1, u16, u8 } from './bytes';
import { swapsSides } from './exif';
import type { Flaw, Reading } from './types';

/** Marker codes, the byte after 0xFF. Source: ITU-T T.81, table B.1. */
const Marker = {
	TEM: 0x01,
	SOF0: 0xc0,
	SOF2: 0xc2,
	DHT: 0xc4,
	DAC: 0xcc,
	SOF15: 0xcf,
	RST0: 0xd0,
	RST7: 0xd7,
	SOI: 0xd8,
	EOI: 0xd9,
	SOS: 0xda,
	DQT: 0xdb,
	DNL: 0xdc,
	DRI: 0xdd,
	APP0: 0xe0,
	APP1: 0xe1,
	APP15: 0xef,
	JPEG_LS: 0xf7,
	COM: 0xfe,
} as const;

/** libjpeg's JPEG_MAX_DIMENSION; T.81 itself would allow 65,535. */
const MAX_SIDE = 65_500;

const EXIF_SIGNATURE = 'Exif\0\0';

interface Frame {
	width: number;
	height: number;
	componentIds: number[];
}

/** What the walk has met so far. */
interface Walk {
	frame: Frame | null;
	/** null until the first EXIF block: some cameras write two, readers use the first. */
	swapsSides: boolean | null;
	scans: number;
	/** Bytes between markers after the first scan header: the coded picture. */
	codedBytes: number;
}

/** Whether the data starts as a JPEG does: SOI and the first byte of the next marker. */
export function isJpeg(bytes: Uint8Array): boolean {
	return bytes[0] === 0xff && bytes[1] === Marker.SOI && bytes[2] === 0xff;
}

/**
 * Reads a JPEG from its first marker to its end mark.
 *
 * Segments are stepped over by their length, so a thumbnail in one is never taken for the
 * picture. Like libjpeg it forgives fill bytes and stray bytes between segments, and whatever
 * follows EOI (phones append videos and depth maps there). It does not forgive a missing EOI,
 * which T.81 B.2.1 demands: far more often it means half a download than a sloppy encoder, and
 * saving the picture again is free while a clip made from half of it is not.
 */
export function readJpeg(bytes: Uint8Array): Reading | null {
	if (!isJpeg(bytes)) return null;
	const walk: Walk = { frame: null, swapsSides: null, scans: 0, codedBytes: 0 };
	const flaw = walkToEnd(bytes, walk) ?? flawOfWhole(walk);
	if (flaw !== null || walk.frame === null) return { format: 'jpeg', flaw: flaw ?? 'damaged' };
	const { width, height } = walk.frame;
	const [shownWidth, shownHeight] = walk.swapsSides ? [height, width] : [width, height];
	const facts = { width: shownWidth, height: shownHeight, bytes: bytes.length };
	return { format: 'jpeg', facts: { format: 'jpeg', ...facts } };
}

function walkToEnd(bytes: Uint8Array, walk: Walk): Flaw | null {
	let at = 2;
	for (;;) {
		const codeAt = nextMarkerCode(bytes, at);
		if (codeAt === -1) return 'cutOff';
		if (walk.scans > 0) walk.codedBytes += codeAt - 1 - at;
		const marker = u8(bytes, codeAt);
		if (marker === Marker.EOI) return null;
		at = codeAt + 1;
		if (standsAlone(marker)) continue;

		if (at + 2 > bytes.length) return 'cutOff';
		const length = u16(bytes, at);
		if (length < 2) return 'damaged';
		if (at + length > bytes.length) return 'cutOff';
		const flaw = takeSegment(marker, bytes.subarray(at + 2, at + length), walk);
		if (flaw !== null) return flaw;
		at += length;
	}
}

/** Where the next marker's code byte is; skips coded data, stuffed zeros and fill bytes. */
function nextMarkerCode(bytes: Uint8Array, from: number): number {
	let at = bytes.indexOf(0xff, from);
	while (at !== -1) {
		while (bytes[at] === 0xff) at++;
		if (at >= bytes.length) return -1;
		if (bytes[at] !== 0) return at;
		at = bytes.indexOf(0xff, at);
	}
	return -1;
}

function standsAlone(marker: number): boolean {
	return marker === Marker.TEM || (marker >= Marker.RST0 && marker <= Marker.RST7);
}

/** Looks at one segment's body; a marker no JPEG has in this place is damage. */
function takeSegment(marker: number, body: Uint8Array, walk: Walk): Flaw | null {
	if (marker === Marker.APP1) return takeExif(body, walk);
	if (marker >= Marker.APP0 && marker <= Marker.APP15) return null;
	if (marker === Marker.DHT) return huffmanTablesFit(body) ? null : 'damaged';
	if (marker === Marker.DQT) return quantisationTablesFit(body) ? null : 'damaged';
	if (marker === Marker.DRI) return body.length === 2 ? null : 'damaged';
	if (marker === Marker.SOS) return takeScan(body, walk);
	if (marker === Marker.COM || marker === Marker.DNL) return null;
	if (marker === Marker.DAC || marker === Marker.JPEG_LS) return 'uncommon';
	if (marker >= Marker.SOF0 && marker <= Marker.SOF15) return takeFrame(marker, body, walk);
	return 'damaged';
}

function takeExif(body: Uint8Array, walk: Walk): null {
	const isExif = latin1(body, 0, EXIF_SIGNATURE.length) === EXIF_SIGNATURE;
	if (isExif) walk.swapsSides ??= swapsSides(body.subarray(EXIF_SIGNATURE.length));
	return null;
}

/** The frame header. Source: T.81 B.2.2; only Huffman-coded 8-bit frames are common. */
function takeFrame(marker: number, body: Uint8Array, walk: Walk): Flaw | null {
	if (walk.frame !== null || body.length < 6) return 'damaged';
	const precision = u8(body, 0);
	const height = u16(body, 1);
	const width = u16(body, 3);
	const count = u8(body, 5);
	if (marker > Marker.SOF2 || precision !== 8 || height === 0) return 'uncommon';
	if (width === 0 || width > MAX_SIDE || height > MAX_SIDE) return 'damaged';
	if (![1, 3, 4].includes(count) || body.length !== 6 + 3 * count) return 'damaged';

	const componentIds: number[] = [];
	for (let at = 6; at < body.length; at += 3) {
		const sampling = u8(body, at + 1);
		if (!isSamplingFactor(sampling >> 4) || !isSamplingFactor(sampling & 15)) return 'damaged';
		if (u8(body, at + 2) > 3) return 'damaged';
		componentIds.push(u8(body, at));
	}
	walk.frame = { width, height, componentIds };
	return null;
}

function isSamplingFactor(factor: number): boolean {
	return factor >= 1 && factor <= 4;
}

/** The scan header. Source: T.81 B.2.3. */
function takeScan(body: Uint8Array, walk: Walk): Flaw | null {
	const count = u8(body, 0);
	if (walk.frame === null || count < 1 || body.length !== 4 + 2 * count) return 'damaged';
	const ids = new Set<number>();
	for (let at = 1; at < 1 + 2 * count; at += 2) ids.add(u8(body, at));
	const { componentIds } = walk.frame;
	if (ids.size !== count || [...ids].some((id) => !componentIds.includes(id))) return 'damaged';
	walk.scans++;
	return null;
}

/** Source: T.81 B.2.4.1. */
function quantisationTablesFit(body: Uint8Array): boolean {
	let at = 0;
	while (at < body.length) {
		const head = u8(body, at);
		if ((head & 15) > 3 || head >> 4 > 1) return false;
		at += head >> 4 === 0 ? 65 : 129;
	}
	return at === body.length;
}

/** Source: T.81 B.2.4.2. */
function huffmanTablesFit(body: Uint8Array): boolean {
	let at = 0;
	while (at < body.length) {
		if (at + 17 > body.length) return false;
		const head = u8(body, at);
		if ((head & 15) > 3 || head >> 4 > 1) return false;
		const symbols = body.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
		if (symbols > 256) return false;
		at += 17 + symbols;
	}
	return at === body.length;
}

/**
 * Whether the coded data can hold the picture at all: a block of 8 × 8 pixels takes at least
 * one bit, the shortest Huffman code of its DC value (T.81 F.1.2.1, G.1.2.1).
 */
function flawOfWhole({ frame, codedBytes }: Walk): Flaw | null {
	if (frame === null) return 'damaged';
	const blocks = Math.ceil(frame.width / 8) * Math.ceil(frame.height / 8);
	return codedBytes * 8 >= blocks ? null : 'cutOff';
}
