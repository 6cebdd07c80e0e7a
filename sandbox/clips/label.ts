import { join } from 'node:path';

import sharp from 'sharp';

import { findScene } from '../scenes';
import { fromRgb, type Picture } from './picture';

/** What is drawn over each frame, and how much it covers: 0 to 255. */
export interface Label {
	picture: Picture;
	alpha: Uint8Array;
	/** The same for the color planes, which have half the size. */
	alphaOfColour: Uint8Array;
}

/** A bundled font: test machines often have none. */
const fontfile = join(
	require.resolve('open-sans-fonts/package.json'),
	'..',
	'open-sans',
	'Bold',
	'OpenSans-Bold.ttf',
);

/** The scene's title at the bottom, and a note in a corner that none of it is real. */
export async function labelOf(scene: string, width: number, height: number): Promise<Label> {
	const unit = Math.min(width, height) / 20;
	const title = await textOf(findScene(scene)?.title ?? scene, unit * 1.35, width - unit * 2);
	const mark = await textOf('simulated', unit * 0.72, width / 2);
	const pad = Math.round(unit * 0.4);
	const pill = { width: mark.info.width + pad * 3, height: mark.info.height + pad * 2 };
	const pillAt = { left: Math.round(width - pill.width - unit * 0.7), top: Math.round(unit * 0.7) };
	const backdrop = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
		<defs><linearGradient id="dark" x1="0" y1="0" x2="0" y2="1">
			<stop offset="0" stop-opacity="0"/><stop offset="1" stop-opacity="0.72"/>
		</linearGradient></defs>
		<rect y="${height * 0.76}" width="${width}" height="${height * 0.24}" fill="url(#dark)"/>
		<rect x="${pillAt.left}" y="${pillAt.top}" width="${pill.width}" height="${pill.height}"
			rx="${pill.height / 2}" fill-opacity="0.55"/>
	</svg>`;
	const rgba = await sharp(Buffer.from(backdrop))
		.composite([
			{
				input: mark.data,
				left: Math.round(pillAt.left + pad * 1.5),
				top: pillAt.top + pad,
			},
			{
				input: title.data,
				left: Math.round((width - title.info.width) / 2),
				top: Math.round(height - unit - title.info.height),
			},
		])
		.ensureAlpha()
		.raw()
		.toBuffer();
	return fromRgba(rgba, width, height);
}

async function textOf(text: string, points: number, width: number) {
	const markup = `<span foreground="white">${text.replace(/[&<>]/g, '')}</span>`;
	const image = sharp({
		text: {
			text: markup,
			fontfile,
			font: `Open Sans Bold ${points.toFixed(1)}`,
			rgba: true,
			dpi: 72,
		},
	});
	const rendered = await image.png().toBuffer({ resolveWithObject: true });
	if (rendered.info.width <= width) return rendered;
	const resized = sharp(rendered.data).resize(Math.floor(width));
	return await resized.png().toBuffer({ resolveWithObject: true });
}

function fromRgba(rgba: Buffer, width: number, height: number): Label {
	const picture = fromRgb(rgba, width, height, 4);
	const alpha = new Uint8Array(width * height);
	const alphaOfColour = new Uint8Array(alpha.length / 4);
	for (let at = 0; at < alpha.length; at += 1) alpha[at] = rgba[at * 4 + 3];
	for (let at = 0; at < alphaOfColour.length; at += 1) {
		const row = Math.floor(at / (width / 2));
		alphaOfColour[at] = alpha[row * 2 * width + (at % (width / 2)) * 2];
	}
	return { picture, alpha, alphaOfColour };
}
