import { createH264MP4Encoder } from 'h264-mp4-encoder';

import { framesPerSecond, type Frames } from './frames';
import { withMoovFirst } from './mp4';

/** Keeps five seconds below 500 kB. */
const kilobitsPerSecond = 640;

/** The frames as an H.264 video (baseline) in an MP4 that plays while it loads. */
export async function encode({ width, height, count, draw }: Frames): Promise<Buffer> {
	const encoder = await createH264MP4Encoder();
	try {
		Object.assign(encoder, { width, height, frameRate: framesPerSecond, speed: 10 });
		Object.assign(encoder, { kbps: kilobitsPerSecond, groupOfPictures: framesPerSecond });
		encoder.initialize();
		for (let index = 0; index < count; index += 1) encoder.addFrameYuv(draw(index));
		encoder.finalize();
		return withMoovFirst(Buffer.from(encoder.FS.readFile(encoder.outputFilename)));
	} finally {
		encoder.delete();
	}
}
