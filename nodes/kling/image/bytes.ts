/** One byte, or -1 behind the end, so that comparisons with any real byte come out false. */
export function u8(bytes: Uint8Array, at: number): number {
	return bytes[at] ?? -1;
}

/** Big-endian 16 bits. The caller has checked that they exist. */
export function u16(bytes: Uint8Array, at: number): number {
	return u8(bytes, at) * 0x100 + u8(bytes, at + 1);
}

/** Big-endian 32 bits, unsigned. The caller has checked that they exist. */
export function u32(bytes: Uint8Array, at: number): number {
	return u16(bytes, at) * 0x10000 + u16(bytes, at + 2);
}

/** Bytes as Latin-1 text; shorter than `length` at the end of the data. */
export function latin1(bytes: Uint8Array, at: number, length: number): string {
	return String.fromCharCode(...bytes.subarray(at, at + length));
}
