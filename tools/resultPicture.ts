// npx tsx tools/resultPicture.ts: the README's picture of a result, made as the sandbox makes its clips.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

import { framesOf, framesPerSecond } from '../sandbox/clips/frames';
import { findSample } from '../sandbox/samples';

/** Which share of frames is kept, and how wide the picture is, to keep the README light. */
const step = 3;
const shownWidth = 260;

/** BT.601, as the frames were converted. */
function toRgb(frame: Uint8Array, width: number, height: number): Uint8Array {
	const rgb = new Uint8Array(width * height * 3);
	const size = width * height;
	for (let row = 0; row < height; row++) {
		for (let column = 0; column < width; column++) {
			const colour = (row >> 1) * (width >> 1) + (column >> 1);
			const y = 1.164 * (frame[row * width + column] - 16);
			const [u, v] = [frame[size + colour] - 128, frame[size * 1.25 + colour] - 128];
			const values = [y + 1.596 * v, y - 0.813 * v - 0.391 * u, y + 2.018 * u];
			for (const [channel, value] of values.entries()) {
				const at = (row * width + column) * 3 + channel;
				rgb[at] = Math.max(0, Math.min(255, Math.round(value)));
			}
		}
	}
	return rgb;
}

async function main(): Promise<void> {
	const photo = await findSample('pet.png');
	if (!photo) throw new Error('There is no sample pet.png');
	const { width, height, count, draw } = await framesOf([photo.bytes], 'pet_dance');
	const pageHeight = Math.round((height * shownWidth) / width);
	const pages: Buffer[] = [];
	for (let index = 0; index < count; index += step) {
		const raw = { width, height, channels: 3 as const };
		const page = sharp(toRgb(draw(index), width, height), { raw }).resize(shownWidth, pageHeight);
		pages.push(await page.raw().toBuffer());
	}
	const raw = {
		width: shownWidth,
		height: pageHeight * pages.length,
		channels: 3 as const,
		pageHeight,
	};
	const delay = pages.map(() => Math.round((1000 * step) / framesPerSecond));
	const picture = sharp(Buffer.concat(pages), { raw });
	const webp = await picture.webp({ loop: 0, delay, quality: 70, effort: 6 }).toBuffer();
	writeFileSync(join(__dirname, '..', 'docs', 'result.webp'), webp);
	process.stdout.write(`docs/result.webp: ${webp.length} bytes, ${pages.length} pictures\n`);
}

void main();
