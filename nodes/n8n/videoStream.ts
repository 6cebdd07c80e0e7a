import { foreignTypeOf, imageTypeOf } from '../kling/image/type';
import { Mp4Boxes } from '../kling/mp4';

/** What is used of a stream of Node.js. */
export interface Stream {
	emit(event: string, ...values: unknown[]): boolean;
	destroy(reason?: Error): void;
}

/** Follows what n8n reads from a stream, and stops it when it is no video or larger than `largest` bytes. */
export function followVideo(stream: Stream, largest: number) {
	const passed = { bytes: 0, ended: false, other: null as string | null, isWhole: false };
	const boxes = new Mp4Boxes();
	let head = Buffer.alloc(0);
	const emit = stream.emit.bind(stream);
	// A listener of its own would set the stream going before anything takes the data.
	stream.emit = (event, ...values) => {
		const [chunk] = values;
		if (event === 'end') passed.ended = true;
		if (event === 'data' && Buffer.isBuffer(chunk)) {
			passed.bytes += chunk.length;
			if (head.length < enoughBytes) {
				head = Buffer.concat([head, chunk.subarray(0, enoughBytes)]);
				passed.other = otherThanVideo(head);
			}
			boxes.take(chunk);
			passed.isWhole = boxes.isWhole || (boxes.isMp4 === false && passed.other === null);
			if (passed.other !== null || passed.bytes > largest) stream.destroy(new Error('stopped'));
		}
		return emit(event, ...values);
	};
	return passed;
}

/** Bytes at the beginning of a file by which it is known. */
const enoughBytes = 64;

/** What a file is that is no video, by its first bytes. Formats other than MP4 are passed on as they are. */
function otherThanVideo(head: Buffer): string | null {
	if (head.length < 8) return null;
	const type = imageTypeOf(head);
	const what = type ? `a ${type} image` : (foreignTypeOf(head)?.what ?? 'something else');
	return /video$/.test(what) ? null : what;
}
