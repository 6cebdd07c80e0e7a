import { foreignTypeOf, imageTypeOf } from '../kling/image/type';
import { Mp4Boxes } from '../kling/mp4';

/** The parts of a Node.js stream that are used. */
export interface Stream {
	emit(event: string, ...values: unknown[]): boolean;
	destroy(reason?: Error): void;
}

/** Follows what n8n reads from a stream, and stops it if it is not a video or larger than `largest` bytes. */
export function followVideo(stream: Stream, largest: number) {
	const passed = { bytes: 0, ended: false, other: null as string | null, isWhole: false };
	const boxes = new Mp4Boxes();
	let head = Buffer.alloc(0);
	const emit = stream.emit.bind(stream);
	// A separate listener would start the stream before anything takes the data.
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

/** How many bytes at the start of a file identify it. */
const enoughBytes = 64;

/** What a file is, by its first bytes, if it is not a video. Other video formats than MP4 are passed on. */
function otherThanVideo(head: Buffer): string | null {
	if (head.length < 8) return null;
	const type = imageTypeOf(head);
	const what = type ? `a ${type} image` : (foreignTypeOf(head)?.what ?? 'something else');
	return /video$/.test(what) ? null : what;
}
