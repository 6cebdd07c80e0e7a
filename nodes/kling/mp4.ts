/** What a player cannot do without (ISO/IEC 14496-12, 6.2.3): the video's index and its pictures. */
const needed = ['moov', 'mdat'];
/** Plus the boxes with pieces of a video in fragmented files. */
const pieces = [...needed, 'moof'];
const headerBytes = 8;
/** With a size of 64 bits. */
const longHeaderBytes = 16;

/**
 * Follows the boxes of an MP4 file (ISO/IEC 14496-12, 4.2) as it streams by in chunks of any size, to
 * tell whether it is complete. What comes after the last piece of the video does not matter.
 */
export class Mp4Boxes {
	private readonly header = Buffer.alloc(longHeaderBytes);
	private headerRead = 0;
	/** Bytes of the current box still to come. */
	private left = 0;
	/** In file order; the last one may be incomplete. */
	private readonly types: string[] = [];

	/** Whether the file starts like an MP4; null until enough of it is known. */
	get isMp4(): boolean | null {
		return this.types.length === 0 ? null : this.types[0] === 'ftyp';
	}

	/** Whether the file has all that a player needs, if it ends here. */
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
		// A size of 0 means “to the end of the file”; one that is too small is meaningless.
		this.left = bytes < this.headerRead ? Infinity : bytes - this.headerRead;
		this.headerRead = 0;
	}
}
