import sharp from 'sharp';

import { labelOf, type Label } from './label';
import { meetingOf, motionOf, type Bend } from './motion';
import { pictureOn, readPhoto, type Picture } from './picture';

/** The pictures of a clip, one after the other. */
export interface Frames {
	width: number;
	height: number;
	count: number;
	/** Draws one of them (I420). The memory is reused for the next. */
	draw(index: number): Uint8Array;
}

export const framesPerSecond = 20;
const seconds = 5;
const count = framesPerSecond * seconds;
/** About as many as can be encoded within a second or two. */
const pixels = 190_000;
/** Sides are multiples of what H.264 cuts pictures into. */
const block = 16;

/** What happens to these photos in a scene. */
export async function framesOf(photos: Buffer[], scene: string): Promise<Frames> {
	return photos.length > 1 ? await meeting(photos, scene) : await moving(photos[0], scene);
}

async function moving(photo: Buffer, scene: string): Promise<Frames> {
	const { width, height } = await sizeOf(photo);
	const source = await readPhoto(photo, width, height);
	const motion = motionOf(scene);
	return await labelled(width, height, scene, (target, time) => {
		drawBent(target, source, motion(time), { from: 0, to: width, shift: 0 });
	});
}

async function meeting(photos: Buffer[], scene: string): Promise<Frames> {
	const { width, height } = sizeFor(4 / 3);
	const half = width / 2;
	const [left, right] = await Promise.all(
		photos.slice(0, 2).map(async (photo) => await readPhoto(photo, half, height)),
	);
	const meet = meetingOf(scene);
	return await labelled(width, height, scene, (target, time) => {
		const { apart, bend } = meet(time);
		const away = Math.round((apart * half) / 2) * 2;
		target.y.fill(32);
		target.u.fill(132);
		target.v.fill(124);
		drawBent(target, left, bend, { from: 0, to: half - away, shift: -away });
		const mirrored = { ...bend, x: -bend.x };
		drawBent(target, right, mirrored, { from: half + away, to: width, shift: half + away });
	});
}

async function labelled(
	width: number,
	height: number,
	scene: string,
	draw: (target: Picture, time: number) => void,
): Promise<Frames> {
	const bytes = new Uint8Array(width * height * 1.5);
	const target = pictureOn(bytes, width, height);
	const label = await labelOf(scene, width, height);
	return {
		width,
		height,
		count,
		draw: (index) => {
			draw(target, index / count);
			putOn(target, label);
			return bytes;
		},
	};
}

async function sizeOf(photo: Buffer): Promise<{ width: number; height: number }> {
	const { width = 1, height = 1, orientation = 1 } = await sharp(photo).metadata();
	return sizeFor(orientation >= 5 ? height / width : width / height);
}

function sizeFor(ratio: number): { width: number; height: number } {
	const inBlocks = (length: number) => Math.max(1, Math.round(length / block)) * block;
	return {
		width: inBlocks(Math.sqrt(pixels * ratio)),
		height: inBlocks(Math.sqrt(pixels / ratio)),
	};
}

/** Where a photo is drawn: columns of the frame, and what its own column 0 is there. */
interface Place {
	from: number;
	to: number;
	shift: number;
}

function drawBent(target: Picture, source: Picture, bend: Bend, place: Place): void {
	const { width, height } = source;
	const planes: Array<['y' | 'u' | 'v', number]> = [
		['y', 1],
		['u', 2],
		['v', 2],
	];
	for (const [plane, scale] of planes) {
		const warped = { width: width / scale, height: height / scale, bytes: source[plane] };
		const into = { width: target.width / scale, bytes: target[plane] };
		const { from, to, shift } = place;
		const there = { from: from / scale, to: to / scale, shift: shift / scale };
		drawPlane(into, warped, bend, there);
	}
}

interface Plane {
	width: number;
	bytes: Uint8Array;
}

/** For each point of the frame, the color of the point of the photo that has moved there. */
function drawPlane(
	target: Plane,
	source: Plane & { height: number },
	bend: Bend,
	{ from, to, shift }: Place,
): void {
	const { width, height, bytes } = source;
	const { bytes: into, width: stride } = target;
	const shares = hills(width, 0.5);
	const rowShares = hills(height, 0.42);
	const middle = { x: width / 2, y: height * 0.45 };
	const step = 1 / bend.zoom;
	const lastX = width - 1.001;
	const lastY = height - 1.001;
	for (let row = 0; row < height; row += 1) {
		const moveX = bend.x * width * rowShares[row];
		const moveY = bend.y * height * rowShares[row];
		const baseX = middle.x - middle.x * step;
		const baseY = middle.y + (row - middle.y) * step;
		let out = row * stride + from;
		for (let column = from - shift; column < to - shift; column += 1, out += 1) {
			const share = shares[column];
			let x = baseX + column * step - moveX * share;
			let y = baseY - moveY * share;
			if (x < 0) x = 0;
			else if (x > lastX) x = lastX;
			if (y < 0) y = 0;
			else if (y > lastY) y = lastY;
			const at = (y | 0) * width + (x | 0);
			const right = ((x - (x | 0)) * 256) | 0;
			const down = ((y - (y | 0)) * 256) | 0;
			const above = (bytes[at] << 8) + (bytes[at + 1] - bytes[at]) * right;
			const below = (bytes[at + width] << 8) + (bytes[at + width + 1] - bytes[at + width]) * right;
			into[out] = ((above << 8) + (below - above) * down + 32_768) >> 16;
		}
	}
}

/** 1 at the top, a share of the length, falling smoothly to 0 at both ends. */
function hills(length: number, top: number): Float64Array {
	return Float64Array.from({ length }, (_, index) => {
		const place = index / length;
		const part = place < top ? place / top : (1 - place) / (1 - top);
		return part * part * (3 - 2 * part);
	});
}

function putOn(target: Picture, { picture, alpha, alphaOfColour }: Label): void {
	blend(target.y, picture.y, alpha);
	blend(target.u, picture.u, alphaOfColour);
	blend(target.v, picture.v, alphaOfColour);
}

function blend(target: Uint8Array, top: Uint8Array, alpha: Uint8Array): void {
	for (let at = 0; at < alpha.length; at += 1) {
		const share = alpha[at];
		if (share > 0) target[at] += ((top[at] - target[at]) * share) / 255;
	}
}
