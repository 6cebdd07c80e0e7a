import sharp from 'sharp';

/** A picture as video encoders expect it: a brightness plane, and two color planes at half the size. */
export interface Picture {
	width: number;
	height: number;
	y: Uint8Array;
	u: Uint8Array;
	v: Uint8Array;
}

/** An empty picture; both sides must be even. */
export function emptyPicture(width: number, height: number): Picture {
	const quarter = (width * height) / 4;
	const bytes = new Uint8Array(quarter * 6);
	return pictureOn(bytes, width, height);
}

/** The planes of a frame, one after the other in memory (I420). */
export function pictureOn(bytes: Uint8Array, width: number, height: number): Picture {
	const size = width * height;
	return {
		width,
		height,
		y: bytes.subarray(0, size),
		u: bytes.subarray(size, size * 1.25),
		v: bytes.subarray(size * 1.25, size * 1.5),
	};
}

/** A photo, cut to fill this size. */
export async function readPhoto(bytes: Buffer, width: number, height: number): Promise<Picture> {
	const rgb = await sharp(bytes)
		.rotate()
		.flatten({ background: '#ffffff' })
		.resize(width, height, { fit: 'cover', position: 'attention' })
		.toColourspace('srgb')
		.removeAlpha()
		.raw()
		.toBuffer();
	return fromRgb(rgb, width, height, 3);
}

/** Converts with the weights of BT.601, which players use for videos of this size. */
export function fromRgb(rgb: Uint8Array, width: number, height: number, channels: number): Picture {
	const picture = emptyPicture(width, height);
	const half = width / 2;
	for (let row = 0, at = 0; row < height; row += 1) {
		for (let column = 0; column < width; column += 1, at += channels) {
			const r = rgb[at];
			const g = rgb[at + 1];
			const b = rgb[at + 2];
			picture.y[row * width + column] = 16.5 + 0.257 * r + 0.504 * g + 0.098 * b;
			if ((row | column) & 1) continue;
			const place = (row >> 1) * half + (column >> 1);
			picture.u[place] = 128.5 - 0.148 * r - 0.291 * g + 0.439 * b;
			picture.v[place] = 128.5 + 0.439 * r - 0.368 * g - 0.071 * b;
		}
	}
	return picture;
}
