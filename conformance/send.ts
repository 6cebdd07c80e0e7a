import type { Setting } from './run';

/** Sends one request with Node.js' own client; follows no redirect, so that the key goes nowhere else. */
export const sendWithFetch: Setting['send'] = async (url, request, headers) => {
	const response = await fetch(url, {
		method: request.method,
		headers: {
			...headers,
			accept: 'application/json',
			...(request.body ? { 'content-type': 'application/json' } : {}),
		},
		...(request.body ? { body: JSON.stringify(request.body) } : {}),
		redirect: 'manual',
		signal: AbortSignal.timeout(request.timeoutMs),
	});
	return {
		status: response.status,
		headers: Object.fromEntries(response.headers),
		text: await response.text(),
	};
};
