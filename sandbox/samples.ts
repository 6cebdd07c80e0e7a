import sharp from 'sharp';

/** A picture to use as input. */
export interface SampleImage {
	bytes: Buffer;
	type: 'image/jpeg' | 'image/png';
}

interface SampleDrawing {
	width: number;
	height: number;
	color: string;
	/** Drawn as an animal, with ears and whiskers. */
	animal?: boolean;
	hair?: 'none' | 'short' | 'long';
}

/** Sample photos: three that every provider takes, and two that break Kling's limits. */
const drawings: Record<string, SampleDrawing> = {
	'portrait.jpg': { width: 480, height: 640, color: '#4f7cac', hair: 'short' },
	'second.jpg': { width: 480, height: 640, color: '#c0616b', hair: 'long' },
	'pet.png': { width: 512, height: 512, color: '#7a9e5f', animal: true },
	'small.png': { width: 200, height: 200, color: '#999999' },
	'wide.jpg': { width: 1200, height: 320, color: '#b08d57' },
};

const rendered = new Map<string, Promise<SampleImage>>();

/** Where the sandbox serves its sample images. */
export const sampleFolder = '/_sandbox/images/';

/** Their names there. */
export const sampleNames = Object.keys(drawings);

/** A sample image by its name; a name with `fail` in it has the portrait's bytes. */
export async function findSample(name: string): Promise<SampleImage | undefined> {
	const known = name.includes('fail') && name.endsWith('.jpg') ? 'portrait.jpg' : name;
	const drawing = Object.hasOwn(drawings, known) ? drawings[known] : undefined;
	if (!drawing) return undefined;
	let image = rendered.get(known);
	if (!image) {
		image = render(known, drawing);
		rendered.set(known, image);
	}
	return await image;
}

async function render(name: string, drawing: SampleDrawing): Promise<SampleImage> {
	const picture = sharp(Buffer.from(draw(drawing)));
	return name.endsWith('.png')
		? {
				bytes: await picture.png({ palette: true, colours: 200, dither: 0 }).toBuffer(),
				type: 'image/png',
			}
		: { bytes: await picture.jpeg({ quality: 70 }).toBuffer(), type: 'image/jpeg' };
}

function draw({ width, height, color, animal, hair = 'none' }: SampleDrawing): string {
	const x = width / 2;
	const y = height * 0.42;
	const r = Math.min(width, height) * 0.22;
	const skin = animal ? '#d99a56' : '#eec6a2';
	const round = (cx: number, cy: number, radius: number, fill: string) =>
		`<circle cx="${cx}" cy="${cy}" r="${radius}" fill="${fill}"/>`;
	const line = (path: string, width = r * 0.05) =>
		`<path d="${path}" fill="none" stroke="#2b2622" stroke-width="${width}" stroke-linecap="round"/>`;
	const bothSides = (part: (side: number) => string) => part(-1) + part(1);
	const ear = (side: number) => {
		const triangle = (size: number, fill: string) =>
			`<path d="M${x + side * r * 0.95} ${y - r * 0.25} L${x + side * r * (0.75 + 0.15 * size)} ${y - r * (0.3 + 0.95 * size)} L${x + side * r * (0.9 - 0.75 * size)} ${y - r * 0.8} z" fill="${fill}" stroke="${fill}" stroke-width="${r * 0.12}" stroke-linejoin="round"/>`;
		return triangle(1, skin) + triangle(0.6, '#f2b8a0');
	};
	const eye = (side: number) =>
		round(x + side * r * 0.38, y - r * 0.12, r * 0.12, '#2b2622') +
		round(x + side * r * 0.38 + r * 0.04, y - r * 0.16, r * 0.04, '#ffffff');
	const cheek = (side: number) =>
		`<circle cx="${x + side * r * 0.58}" cy="${y + r * 0.28}" r="${r * 0.15}" fill="#e8756a" fill-opacity="0.35"/>`;
	const whiskers = (side: number) =>
		[0.12, 0.26, 0.4]
			.map((down) =>
				line(
					`M${x + side * r * 0.5} ${y + r * 0.26 + (r * (down - 0.26)) / 3} L${x + side * r * 1.2} ${y + r * down}`,
					r * 0.025,
				),
			)
			.join('');
	const muzzle = `<ellipse cx="${x}" cy="${y + r * 0.42}" rx="${r * 0.42}" ry="${r * 0.32}" fill="#f7e6d0"/>
		<path d="M${x - r * 0.1} ${y + r * 0.2} h${r * 0.2} l${-r * 0.1} ${r * 0.12} z" fill="#2b2622"/>
		${line(`M${x} ${y + r * 0.32} v${r * 0.1} m${-r * 0.22} 0 q${r * 0.11} ${r * 0.18} ${r * 0.22} 0 q${r * 0.11} ${r * 0.18} ${r * 0.22} 0`)}`;
	const smile = line(
		`M${x - r * 0.36} ${y + r * 0.36} q${r * 0.36} ${r * 0.34} ${r * 0.72} 0`,
		r * 0.06,
	);
	const behind = {
		none: '',
		short: '',
		long: `<path d="M${x - r * 1.1} ${y - r * 0.1} a${r * 1.1} ${r * 1.1} 0 0 1 ${r * 2.2} 0 v${r * 1.5} h${-r * 2.2} z" fill="#5b3423"/>`,
	}[hair];
	const before = {
		none: '',
		short: `<path d="M${x - r * 1.02} ${y - r * 0.05} a${r * 1.02} ${r * 1.05} 0 0 1 ${r * 2.04} 0 q${-r * 0.3} ${-r * 0.65} ${-r * 1.02} ${-r * 0.6} q${-r * 0.72} ${-r * 0.05} ${-r * 1.02} ${r * 0.6} z" fill="#33261f"/>`,
		long: `<path d="M${x - r * 1.04} ${y - r * 0.02} a${r * 1.04} ${r * 1.06} 0 0 1 ${r * 2.08} 0 q${-r * 0.5} ${-r * 0.12} ${-r * 0.78} ${-r * 0.66} q${-r * 0.6} ${r * 0.4} ${-r * 1.3} ${r * 0.66} z" fill="#5b3423"/>`,
	}[hair];
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
		<defs><radialGradient id="light" cx="0.5" cy="0.35" r="0.8">
			<stop offset="0" stop-color="#ffffff" stop-opacity="0.32"/>
			<stop offset="1" stop-color="#000000" stop-opacity="0.28"/>
		</radialGradient></defs>
		<rect width="100%" height="100%" fill="${color}"/>
		<rect width="100%" height="100%" fill="url(#light)"/>
		${behind}
		${animal ? bothSides(ear) : ''}
		<ellipse cx="${x}" cy="${height}" rx="${r * 1.9}" ry="${height * 0.36}" fill="${animal ? skin : '#2f3e46'}"/>
		${animal ? `<ellipse cx="${x}" cy="${height}" rx="${r}" ry="${height * 0.28}" fill="#f7e6d0"/>` : ''}
		${round(x, y, r, skin)}
		${before}
		${bothSides(eye)}
		${animal ? muzzle + bothSides(whiskers) : bothSides(cheek) + smile}
	</svg>`;
}
