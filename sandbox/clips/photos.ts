import { findSample, sampleFolder } from '../samples';

const timeoutMs = 5000;
const maxBytes = 10 * 1024 * 1024;

/** The bytes of a task's pictures; undefined if one of them is where the sandbox does not look. */
export async function readPhotos(
	images: string[],
	sandboxUrl: string,
): Promise<Buffer[] | undefined> {
	const photos = await Promise.all(images.map(async (image) => await readPhoto(image, sandboxUrl)));
	return photos.every((photo) => photo !== undefined) ? photos : undefined;
}

async function readPhoto(image: string, sandboxUrl: string): Promise<Buffer | undefined> {
	if (!/^https?:\/\//i.test(image)) return Buffer.from(image, 'base64');
	const url = new URL(image);
	if (isSample(url, sandboxUrl)) {
		return (await findSample(url.pathname.slice(sampleFolder.length)))?.bytes;
	}
	return isLocal(url) ? await download(url) : undefined;
}

/** The same server may be called localhost or something else; its path is unique. */
export function isSample(url: URL, sandboxUrl: string): boolean {
	return url.pathname.startsWith(sampleFolder) && url.port === new URL(sandboxUrl).port;
}

/** Whether a URL points to this machine. The sandbox requests no other. */
export function isLocal({ hostname }: URL): boolean {
	return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

async function download(url: URL): Promise<Buffer | undefined> {
	// A redirect could lead away from this machine.
	const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
	if (!response.ok || Number(response.headers.get('content-length')) > maxBytes) return undefined;
	const bytes = Buffer.from(await response.arrayBuffer());
	return bytes.length <= maxBytes ? bytes : undefined;
}
