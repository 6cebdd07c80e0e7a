interface Box {
	type: string;
	start: number;
	end: number;
}

const headerBytes = 8;
/** The boxes on the way to the table that says where the frames lie (ISO/IEC 14496-12, 8.7.5). */
const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);

function boxesOf(bytes: Buffer, start = 0, end = bytes.length): Box[] {
	const boxes: Box[] = [];
	for (let at = start; at + headerBytes <= end;) {
		const size = bytes.readUInt32BE(at);
		if (size < headerBytes || at + size > end)
			throw new Error(`Not an MP4: a box of ${size} bytes`);
		boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), start: at, end: at + size });
		at += size;
	}
	return boxes;
}

/**
 * The same video with its table of contents before its frames, so that a player can start early. The
 * encoder writes it last, and leaves room (`free`) that no player needs.
 */
export function withMoovFirst(bytes: Buffer): Buffer {
	const boxes = boxesOf(bytes);
	const cut = (type: string) => {
		const box = boxes.find((one) => one.type === type);
		if (!box) throw new Error(`Not an MP4: it has no ${type}`);
		return { box, part: Buffer.from(bytes.subarray(box.start, box.end)) };
	};
	const [ftyp, moov, mdat] = ['ftyp', 'moov', 'mdat'].map(cut);
	const moved = ftyp.part.length + moov.part.length - mdat.box.start;
	moveOffsets(moov.part, moved);
	return Buffer.concat([ftyp.part, moov.part, mdat.part]);
}

function moveOffsets(bytes: Buffer, by: number, start = 0, end = bytes.length): void {
	for (const box of boxesOf(bytes, start, end)) {
		const content = box.start + headerBytes;
		if (containers.has(box.type)) moveOffsets(bytes, by, content, box.end);
		if (box.type !== 'stco') continue;
		const count = bytes.readUInt32BE(content + 4);
		for (let at = content + 8; at < content + 8 + count * 4; at += 4) {
			bytes.writeUInt32BE(bytes.readUInt32BE(at) + by, at);
		}
	}
}
