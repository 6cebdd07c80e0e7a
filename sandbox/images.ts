import sharp from 'sharp';

import { isSample } from './clips/photos';
import { Refusal } from './refusal';
import { findSample, sampleFolder } from './samples';
import { klingReasons, klingTexts, say } from './texts';

/** What a task will do, as far as the URLs of its images tell. */
export interface ImageDirectives {
	/** Why the task fails; null when it succeeds. */
	failure: string | null;
	/** Seconds the task takes; undefined for the sandbox's usual time. */
	seconds?: number;
	videos?: number;
	/** Size of the resulting video files. */
	megabytes?: number;
}

const maxBytes = 10 * 1024 * 1024;
const minSide = 300;
const maxRatio = 2.5;

/**
 * Checks images as Kling documents them (Kling's effects page: formats, 10 MB, 300 px, 1:2.5 to 2.5:1, no
 * `data:` prefix) and reads what the URLs tell the sandbox to do.
 *
 * @param ownUrl URL of the sandbox: its sample images are checked by their bytes
 * @throws Refusal 1201 for base64 that is no acceptable image
 */
export async function inspectImages(images: string[], ownUrl: string): Promise<ImageDirectives> {
	const all = await Promise.all(images.map(async (image) => await inspect(image, ownUrl)));
	return {
		failure: all.find((one) => one.failure !== null)?.failure ?? null,
		seconds: all.find((one) => one.seconds !== undefined)?.seconds,
		videos: all.find((one) => one.videos !== undefined)?.videos,
		megabytes: all.find((one) => one.megabytes !== undefined)?.megabytes,
	};
}

async function inspect(image: string, ownUrl: string): Promise<ImageDirectives> {
	if (/^https?:\/\//i.test(image)) return await inspectUrl(image, ownUrl);
	if (/^data:/i.test(image)) {
		throw Refusal.saying(klingTexts.notBase64);
	}
	const problem = await problemOfBytes(decode(image));
	if (problem) throw new Refusal(1201, problem);
	return { failure: null };
}

function decode(base64: string): Buffer {
	// Whether Kling tolerates line breaks is unverified; its documented form has none.
	const digits = base64.replace(/={1,2}$/, '');
	// Searches for what is not allowed: that needs no memory, however long the text is.
	if (digits === '' || digits.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(digits)) {
		throw Refusal.saying(klingTexts.notBase64);
	}
	return Buffer.from(base64, 'base64');
}

/** A URL is read after the task was accepted, so what is wrong with it makes the task fail. */
async function inspectUrl(image: string, ownUrl: string): Promise<ImageDirectives> {
	let url: URL;
	try {
		url = new URL(image);
	} catch {
		throw new Refusal(1201, 'Image URL is not valid');
	}
	return {
		failure: await failureOfUrl(url, ownUrl),
		seconds: numberFrom(url, 'seconds'),
		videos: numberFrom(url, 'videos'),
		megabytes: numberFrom(url, 'megabytes'),
	};
}

async function failureOfUrl(url: URL, ownUrl: string): Promise<string | null> {
	if (url.pathname.endsWith('unreachable.jpg')) return say(klingReasons.unreachable);
	if (url.pathname.includes('fail')) {
		return url.searchParams.get('reason') ?? say(klingReasons.pixels);
	}
	if (!isSample(url, ownUrl)) return null;
	const sample = await findSample(url.pathname.slice(sampleFolder.length));
	return sample ? await problemOfBytes(sample.bytes) : say(klingReasons.unreachable);
}

function numberFrom(url: URL, name: string): number | undefined {
	const text = url.searchParams.get(name);
	const value = Number(text);
	return text === null || text === '' || Number.isNaN(value) ? undefined : value;
}

async function problemOfBytes(bytes: Buffer): Promise<string | null> {
	if (bytes.length > maxBytes) return 'Image file size exceeds 10MB';
	const metadata = await sharp(bytes)
		.metadata()
		.catch(() => undefined);
	if (!metadata || !['jpeg', 'png'].includes(metadata.format ?? '')) {
		return 'Image format is not supported, use jpg, jpeg or png';
	}
	const { width = 0, height = 0 } = metadata;
	if (Math.min(width, height) < minSide) return say(klingReasons.pixels);
	if (Math.max(width, height) / Math.min(width, height) > maxRatio) {
		return say(klingReasons.ratio);
	}
	return null;
}
