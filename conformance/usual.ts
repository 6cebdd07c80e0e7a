import { findSample } from '../sandbox/samples';

/** A scene of one picture that Kling's newest lists name. */
export const usualScene = 'color_mixing';

/** A drawn portrait, as bare base64: it needs no server that a provider can reach. */
export async function pictureAsBase64(): Promise<string> {
	const sample = await findSample('portrait.jpg');
	if (!sample) throw new Error('The sample picture is missing');
	return sample.bytes.toString('base64');
}
