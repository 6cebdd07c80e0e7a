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
	/** Drawn as an animal, with ears. */
	ears?: boolean;
}

/** Sample photos: three that every provider takes, and two that break Kling's limits. */
const drawings: Record<string, SampleDrawing> = {
	'portrait.jpg': { width: 480, height: 640, color: '#4f7cac' },
	'second.jpg': { width: 480, height: 640, color: '#c0616b' },
	'pet.png': { width: 512, height: 512, color: '#7a9e5f', ears: true },
	'small.png': { width: 200, height: 200, color: '#999999' },
	'wide.jpg': { width: 1200, height: 320, color: '#b08d57' },
};

const rendered = new Map<string, Promise<SampleImage>>();

/** Names of the sample images under `/_sandbox/images/`. */
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
		? { bytes: await picture.png({ palette: true }).toBuffer(), type: 'image/png' }
		: { bytes: await picture.jpeg({ quality: 70 }).toBuffer(), type: 'image/jpeg' };
}

function draw({ width, height, color, ears }: SampleDrawing): string {
	const x = width / 2;
	const y = height * 0.42;
	const r = Math.min(width, height) * 0.22;
	const ear = (side: number) =>
		`<path d="M${x + side * r} ${y - r * 0.2} l${-side * r * 0.1} ${-r} l${-side * r * 0.7} ${r * 0.5} z" fill="#e8c39e"/>`;
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
		<rect width="100%" height="100%" fill="${color}"/>
		${ears ? ear(1) + ear(-1) : ''}
		<ellipse cx="${x}" cy="${height}" rx="${r * 2}" ry="${height * 0.36}" fill="#2f3e46"/>
		<circle cx="${x}" cy="${y}" r="${r}" fill="#e8c39e"/>
		<circle cx="${x - r * 0.38}" cy="${y - r * 0.1}" r="${r * 0.1}"/>
		<circle cx="${x + r * 0.38}" cy="${y - r * 0.1}" r="${r * 0.1}"/>
		<path d="M${x - r * 0.4} ${y + r * 0.35} q${r * 0.4} ${r * 0.35} ${r * 0.8} 0" fill="none" stroke="#000" stroke-width="4"/>
	</svg>`;
}
