import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { checkImage, imageLimits } from '../../../../nodes/kling/image/check';
import { attempt } from '../../../fixtures/attempt';

/** Every picture in four packages for reading pictures: cameras, CMYK, restart markers, all kinds of PNG. */
const packages = {
	'images-of-exif': 10,
	'images-of-jpeg-js': 12,
	'images-of-pngjs': 21,
	'images-of-pngparse': 8,
};

const files = Object.entries(packages).flatMap(([name, count]) => {
	const folder = join('node_modules', name);
	const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.filter((file) => /\.(jpe?g|png)$/i.test(file))
		.map((file) => [`${name}/${file}`, join(folder, file)] as const);
	return [[name, count, found] as const];
});

test.each(files)('%s has the %i pictures that are counted on', (_name, count, found) => {
	expect(found).toHaveLength(count);
});

/** What Kling's limits say about a picture that sharp reads; null if they refuse it. */
async function expected(bytes: Buffer) {
	const { format, autoOrient, width, height } = await sharp(bytes).metadata();
	await sharp(bytes, { failOn: 'truncated' }).stats();
	const [shorter, longer] = [width, height].sort((a, b) => a - b);
	const fits = shorter >= imageLimits.minSide && longer <= shorter * imageLimits.maxRatio;
	const sides = [autoOrient.width, autoOrient.height].sort((a, b) => a - b);
	return fits && bytes.length <= imageLimits.maxBytes ? [format.toUpperCase(), ...sides] : null;
}

function judged(bytes: Buffer) {
	const checked = attempt(() => checkImage(bytes, 'the picture'));
	if (!checked.ok) return { verdict: null, message: checked.problem.message };
	const { type, width, height } = checked.value;
	return { verdict: [type, ...[width, height].sort((a, b) => a - b)], message: '' };
}

describe.each(files.flatMap(([, , found]) => [...found]))('%s', (_name, path) => {
	const bytes = readFileSync(path);

	test('is checked as sharp reads it, within Kling’s limits', async () => {
		const { verdict, message } = judged(bytes);
		expect(verdict).toEqual(await expected(bytes));
		// All refusals are about size: none is damaged, and none has another format.
		if (verdict === null) expect(message).toMatch(/pixels/);
	});

	test('cut in half is reported as cut off, unless it is too small in the first place', async () => {
		const half = bytes.subarray(0, Math.floor(bytes.length / 2));
		await expect(sharp(half, { failOn: 'truncated' }).stats()).rejects.toThrow();
		expect(judged(half)).toMatchObject({
			verdict: null,
			message: expect.stringMatching(/cut off/),
		});
	});
});
