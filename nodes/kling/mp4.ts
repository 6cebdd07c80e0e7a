/** What a video cannot be shown without (ISO/IEC 14496-12, 6.2.3): its index and its pictures. */
const needed = ['moov', 'mdat'];
/** Further boxes that hold pieces of a video, in files of fragments. */
const pieces = [...needed, 'moof'];
const headerBytes = 8;
/** With a size of 64 bits. */
const longHeaderBytes = 16;

/**
 * Follows the boxes of an MP4 file (ISO/IEC 14496-12, 4.2) while it passes by in chunks of any size,
 * to tell whether all of it came. What stands behind the last piece of the video does not matter.
 */
export class Mp4Boxes {
	private readonly header = Buffer.alloc(longHeaderBytes);
	private headerRead = 0;
	/** Bytes of the current box that are still to come. */
	private left = 0;
	/** In order of the file; the last may be still to come. */
	private readonly types: string[] = [];

	/** Whether the file begins as an MP4 does; null as long as too little is there. */
	get isMp4(): boolean | null {
		return this.types.length === 0 ? null : this.types[0] === 'ftyp';
	}

	/** Whether the file, if it ends here, has all that a player needs. */
	get isWhole(): boolean {
		const isCut = this.left > 0 && this.left !== Infinity && pieces.includes(this.types.at(-1)!);
		return this.isMp4 === true && !isCut && needed.every((type) => this.types.includes(type));
	}

	take(chunk: Buffer): void {
		for (let at = 0; at < chunk.length;) {
			if (this.left > 0) {
				const skipped = Math.min(this.left, chunk.length - at);
				this.left -= skipped;
				at += skipped;
			} else {
				this.header[this.headerRead++] = chunk[at++];
				this.readHeader();
			}
		}
	}

	private readHeader(): void {
		if (this.headerRead < headerBytes) return;
		const size = this.header.readUInt32BE(0);
		if (size === 1 && this.headerRead < longHeaderBytes) return;
		const bytes = size === 1 ? Number(this.header.readBigUInt64BE(headerBytes)) : size;
		this.types.push(this.header.toString('latin1', 4, headerBytes));
		// A size of 0 means “to the end of the file”; one that is too small means nothing.
		this.left = bytes < this.headerRead ? Infinity : bytes - this.headerRead;
		this.headerRead = 0;
	}
}
