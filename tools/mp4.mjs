const boxHeader = 8;
const largeBoxHeader = 16;

/** The top-level boxes of an MP4 file (ISO/IEC 14496-12, 4.2). Throws if the bytes are not such a file. */
export function mp4Boxes(bytes) {
	const boxes = [];
	let offset = 0;
	while (offset < bytes.length) {
		const { type, size } = readBox(bytes, offset);
		if (size < boxHeader || offset + size > bytes.length) {
			throw new Error(`Not a whole MP4 file: box "${type}" at ${offset} says ${size} bytes`);
		}
		boxes.push(type);
		offset += size;
	}
	if (boxes[0] !== 'ftyp' || !boxes.includes('moov')) {
		throw new Error(`Not an MP4 file: its boxes are ${boxes.join(', ') || 'none'}`);
	}
	return boxes;
}

function readBox(bytes, offset) {
	if (bytes.length - offset < boxHeader) return { type: '?', size: 0 };
	const type = bytes.toString('latin1', offset + 4, offset + boxHeader);
	const size = bytes.readUInt32BE(offset);
	if (size === 0) return { type, size: bytes.length - offset };
	if (size !== 1) return { type, size };
	if (bytes.length - offset < largeBoxHeader) return { type, size: 0 };
	return { type, size: Number(bytes.readBigUInt64BE(offset + boxHeader)) };
}
