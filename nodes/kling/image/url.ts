import { refusedImage } from './check';

const advice = 'Enter the address of a JPEG or PNG image that starts with https:// or http://.';
const asBase64 = 'Set Image Input to Base64, or enter the address of the image.';

/**
 * Checks an image address as far as it goes without asking for it; Kling fetches it itself
 * (Kling's effects page: "ensure accessibility").
 *
 * Signed links break when they are rewritten, so an address of plain ASCII comes back as it was
 * entered, but for blanks around it. Any other is encoded as browsers do. User name and password
 * in the address are passed on. Messages never quote an address: it can be a secret.
 *
 * @param label names the text in messages, such as `the field "Image"`
 * @throws InputError
 */
export function checkImageUrl(text: string, label: string): string {
	const trimmed = text.trim();
	if (trimmed === '') throw refusedImage(label, 'is empty', advice);
	if (/^data:/i.test(trimmed)) {
		throw refusedImage(label, 'holds the image itself (a data: URL), not its address', asBase64);
	}
	if (/^(\/9j\/|iVBORw0KGgo)/.test(trimmed)) {
		throw refusedImage(label, 'holds base64 text, not an address', asBase64);
	}
	if (!/^https?:\/\/[^/?#]/i.test(trimmed)) {
		throw refusedImage(
			label,
			'does not hold an address that starts with http:// or https://',
			advice,
		);
	}
	if (/[\t\r\n]/.test(trimmed)) {
		throw refusedImage(label, 'holds more than one line', 'Enter one address only.');
	}
	const encoded = encodedUrl(trimmed);
	if (encoded === null) throw refusedImage(label, 'holds an address that cannot be read', advice);
	const direct = directLinkAdvice(new URL(encoded));
	if (direct) throw refusedImage(label, 'is the address of a page, not of an image', direct);
	const isPlain = /^[\x21-\x7e]+$/.test(trimmed);
	return isPlain ? trimmed : encoded;
}

/** What to enter instead of the address of a page that shows an image; null for any other address. */
function directLinkAdvice({ hostname, pathname, searchParams }: URL): string | null {
	const isOf = (domain: string) => hostname === domain || hostname.endsWith(`.${domain}`);
	if (isOf('drive.google.com') && /^\/(file\/|open)/.test(pathname)) {
		return 'Enter the direct link: for Google Drive, https://drive.google.com/uc?export=download&id= followed by the ID of the file, which anyone with the link must be able to open.';
	}
	if (isOf('dropbox.com') && searchParams.get('raw') !== '1' && searchParams.get('dl') !== '1') {
		return 'Enter the direct link: for Dropbox, the same address with raw=1 instead of dl=0 at its end.';
	}
	if (!/\.html?$/i.test(pathname)) return null;
	return 'Enter the direct link of the image: right-click it on the page and copy its address.';
}

/**
 * The address as browsers encode it, or null when it is none. Not by `URL.canParse`: on Node.js 20 it
 * refuses letters beyond ASCII once the engine has compiled it (seen on 20.20.2).
 */
function encodedUrl(text: string): string | null {
	try {
		return new URL(text).href;
	} catch {
		return null;
	}
}
