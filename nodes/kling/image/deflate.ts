/** Bits, starting from the low end of each byte (RFC 1951, 3.1.1); zeros after the end. */
class Bits {
	private at = 0;
	private bit = 0;

	constructor(private readonly bytes: Uint8Array) {}

	/** Whether it was read past the end. */
	get isOver(): boolean {
		return this.at > this.bytes.length || (this.at === this.bytes.length && this.bit > 0);
	}

	next(): number {
		const value = ((this.bytes[this.at] ?? 0) >> this.bit) & 1;
		this.bit = (this.bit + 1) & 7;
		if (this.bit === 0) this.at++;
		return value;
	}

	read(count: number): number {
		let value = 0;
		for (let index = 0; index < count; index++) value |= this.next() << index;
		return value;
	}

	/** Skips to the next whole byte, and `count` more. */
	skip(count: number): void {
		if (this.bit > 0) this.at++;
		this.bit = 0;
		this.at += count;
	}
}

/** A Huffman code: how many codes there are of each length, and their symbols in order (RFC 1951, 3.2.2). */
interface Code {
	counts: number[];
	symbols: number[];
}

const longestCode = 15;

function codeOf(lengths: number[]): Code {
	const counts = Array<number>(longestCode + 1).fill(0);
	for (const length of lengths) if (length > 0) counts[length]++;
	const symbols = [...lengths.keys()]
		.filter((symbol) => lengths[symbol] > 0)
		.sort((a, b) => lengths[a] - lengths[b] || a - b);
	return { counts, symbols };
}

/** @returns null if there is no such code */
function readSymbol(bits: Bits, { counts, symbols }: Code): number | null {
	let [code, first, index] = [0, 0, 0];
	for (let length = 1; length <= longestCode; length++) {
		code |= bits.next();
		const count = counts[length];
		if (code - count < first) return symbols[index + code - first] ?? null;
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return null;
}

const endOfBlock = 256;
const fixedCodes: [Code, Code] = [
	codeOf(Array.from({ length: 288 }, (_, at) => (at < 144 ? 8 : at < 256 ? 9 : at < 280 ? 7 : 8))),
	codeOf(Array<number>(30).fill(5)),
];
/** The order in which the lengths of the code of code lengths come (RFC 1951, 3.2.7). */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function readCodes(bits: Bits): [Code, Code] | null {
	const literals = bits.read(5) + 257;
	const total = literals + bits.read(5) + 1;
	const given = lengthOrder.slice(0, bits.read(4) + 4);
	const lengthsOfLengths = Array<number>(lengthOrder.length).fill(0);
	for (const symbol of given) lengthsOfLengths[symbol] = bits.read(3);
	const code = codeOf(lengthsOfLengths);
	const lengths: number[] = [];
	while (lengths.length < total && !bits.isOver) {
		const symbol = readSymbol(bits, code);
		if (symbol === null) return null;
		if (symbol < 16) lengths.push(symbol);
		else if (symbol === 16) push(lengths, lengths.at(-1) ?? 0, bits.read(2) + 3);
		else push(lengths, 0, symbol === 17 ? bits.read(3) + 3 : bits.read(7) + 11);
	}
	return [codeOf(lengths.slice(0, literals)), codeOf(lengths.slice(literals, total))];
}

function push(list: number[], value: number, times: number): void {
	for (let index = 0; index < times; index++) list.push(value);
}

/** Skips a block of codes. @returns whether its end was found */
function readBlock(bits: Bits, [literals, distances]: [Code, Code]): boolean {
	while (!bits.isOver) {
		const symbol = readSymbol(bits, literals);
		if (symbol === null) return false;
		if (symbol === endOfBlock) return !bits.isOver;
		if (symbol < endOfBlock) continue;
		// Extra bits of a length and of its distance (RFC 1951, 3.2.5).
		const group = (symbol - 261) >> 2;
		bits.read(symbol < 265 || symbol === 285 ? 0 : group);
		const distance = readSymbol(bits, distances);
		if (distance === null) return false;
		bits.read(distance < 4 ? 0 : (distance >> 1) - 1);
	}
	return false;
}

/**
 * Whether compressed data (zlib, RFC 1950) is complete. It reads codes without unpacking, so it takes no
 * memory, however large the data would become. The checksum at the end may be missing.
 */
export function isWholeZlib(data: Uint8Array): boolean {
	const bits = new Bits(data);
	bits.skip(2);
	for (let isLast = false; !isLast;) {
		isLast = bits.next() === 1;
		const type = bits.read(2);
		if (type === 0) {
			bits.skip(0);
			const length = bits.read(16);
			bits.skip(2 + length);
			if (bits.isOver) return false;
			continue;
		}
		const codes = type === 1 ? fixedCodes : type === 2 ? readCodes(bits) : null;
		if (!codes || !readBlock(bits, codes)) return false;
	}
	return true;
}
