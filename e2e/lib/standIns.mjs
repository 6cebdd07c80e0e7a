import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

import { e2eDir } from '../../tools/paths.mjs';

/** The part of a request's URL that a handler reads, with its body in one piece. */
async function read(request) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const { pathname, searchParams } = new URL(request.url, 'http://localhost');
	const path = decodeURIComponent(pathname);
	return { method: request.method, path, query: searchParams, body: Buffer.concat(chunks) };
}

/** A server on localhost; `handle` gives the JSON, the bytes or the response's parts for a request. */
async function serve(handle) {
	const server = createServer(async (incoming, response) => {
		try {
			const {
				status = 200,
				headers = {},
				json,
				bytes,
			} = await handle(await read(incoming), incoming);
			const type = bytes ? 'application/octet-stream' : 'application/json';
			response.writeHead(status, { 'content-type': type, ...headers });
			response.end(bytes ?? JSON.stringify(json ?? {}));
		} catch (error) {
			response.writeHead(500).end(JSON.stringify({ error: { message: error.message } }));
		}
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const close = () => {
		server.closeAllConnections();
		server.close();
	};
	return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/** The parts of a multipart body, in their order: each with its header lines as text, and its bytes. */
function partsOf(body, contentType) {
	const boundary = `--${/boundary=([^;]+)/.exec(contentType)[1]}`;
	const parts = [];
	let from = body.indexOf(boundary);
	for (;;) {
		const start = from + boundary.length + 2;
		const to = body.indexOf(`\r\n${boundary}`, start);
		if (to < 0) return parts;
		const blank = body.indexOf('\r\n\r\n', start);
		const head = body.subarray(start, blank).toString();
		parts.push({ head, bytes: body.subarray(blank + 4, to) });
		from = to + 2;
	}
}

const letterA = 'A'.charCodeAt(0);

/** Google Sheets with one spreadsheet of one sheet, and Google Drive with one folder. */
class Google {
	/** Files of the Drive by their ids, each with its `name` and `bytes`. */
	files = new Map();
	#uploads = new Map();

	/** `rows`: the cells of the sheet, the first row with the names of the columns. */
	constructor(rows) {
		this.rows = rows;
	}

	handle({ method, path, query, body }, { headers }) {
		if (path === '/token') return { json: { access_token: 'stand-in', expires_in: 3600 } };
		// The address of an upload that has begun is its own key.
		if (path.startsWith('/upload/session/')) return this.#chunk(path, body, headers);
		if (headers.authorization !== 'Bearer stand-in') return { status: 401 };
		if (path.startsWith('/v4/spreadsheets/')) return this.#sheets(method, path, body);
		if (path === '/upload/drive/v3/files') return this.#upload(query, body, headers);
		if (path.startsWith('/drive/v3/files/')) return this.#rename(path, body);
		return { status: 404 };
	}

	#sheets(method, path, body) {
		if (path.endsWith('/values:batchUpdate')) {
			for (const { range, values } of JSON.parse(body).data) this.#write(range, values);
			return { json: {} };
		}
		if (path.includes('/values/')) return { json: { values: this.rows } };
		const properties = { sheetId: 0, title: 'Sheet1', gridProperties: { rowCount: 1000 } };
		return { json: { sheets: [{ properties }] } };
	}

	/** A range such as `Sheet1!C2`, or `Sheet1!A2:D2`. */
	#write(range, values) {
		const [, column, row] = /!([A-Z])(\d+)/.exec(range);
		values.forEach((cells, down) =>
			cells.forEach((cell, right) => {
				this.rows[Number(row) - 1 + down][column.charCodeAt(0) - letterA + right] = cell;
			}),
		);
	}

	/** In one piece, as n8n sends a file that it has in memory, or the start of an upload in pieces. */
	#upload(query, body, headers) {
		const id = `file-${this.files.size + this.#uploads.size + 1}`;
		if (query.get('uploadType') === 'multipart') {
			const [metadata, data] = partsOf(body, headers['content-type']);
			this.files.set(id, { ...JSON.parse(metadata.bytes), bytes: data.bytes });
			return { json: { id } };
		}
		this.#uploads.set(id, { ...JSON.parse(body), chunks: [] });
		return { headers: { location: `https://www.googleapis.com/upload/session/${id}` } };
	}

	#chunk(path, body, headers) {
		const id = path.split('/').at(-1);
		const { chunks, ...metadata } = this.#uploads.get(id);
		chunks.push(body);
		const [, last, size] = /-(\d+)\/(\d+)$/.exec(headers['content-range']);
		if (Number(last) + 1 < Number(size)) return { status: 308 };
		this.#uploads.delete(id);
		this.files.set(id, { ...metadata, bytes: Buffer.concat(chunks) });
		return { json: { id } };
	}

	#rename(path, body) {
		const id = path.split('/').at(-1);
		const { bytes, ...metadata } = { ...this.files.get(id), ...JSON.parse(body) };
		this.files.set(id, { ...metadata, bytes });
		const webViewLink = `https://drive.google.com/file/d/${id}/view`;
		return { json: { id, ...metadata, webViewLink } };
	}
}

/**
 * Google Sheets and Google Drive on localhost, as far as n8n's own nodes ask them. Those nodes know
 * only Google's hosts, so an n8n started with `env` takes these requests here.
 */
export async function startGoogle(rows) {
	const google = new Google(rows);
	const { url, close } = await serve((request, incoming) => google.handle(request, incoming));
	const hosts = ['oauth2.googleapis.com', 'sheets.googleapis.com', 'www.googleapis.com'];
	const { privateKey } = generateKeyPairSync('rsa', {
		modulusLength: 2048,
		publicKeyEncoding: { type: 'spki', format: 'pem' },
		privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
	});
	return Object.assign(google, {
		close,
		env: {
			NODE_OPTIONS: `--import ${pathToFileURL(join(e2eDir, 'lib', 'rerouteHosts.mjs'))}`,
			KLING_STAND_INS: JSON.stringify(Object.fromEntries(hosts.map((host) => [host, url]))),
		},
		/** For n8n's credential type `googleApi`; no secret: it was just made. */
		credential: { region: 'us-central1', email: 'robot@example.com', privateKey },
	});
}

/**
 * A bot of Telegram on localhost. Its credential has a Base URL, so n8n's own nodes can be pointed here.
 * `photo` is what people send to it.
 */
export async function startTelegram(photo) {
	const bot = { sent: [], webhook: undefined };
	const { url, close } = await serve(({ path, body }, { headers }) => {
		const method = path.split('/').at(-1);
		if (path.startsWith('/file/')) return { bytes: photo };
		if (method === 'setWebhook') bot.webhook = JSON.parse(body);
		if (method === 'deleteWebhook') bot.webhook = undefined;
		if (method === 'getWebhookInfo') return { json: { ok: true, result: { url: '' } } };
		if (method === 'getFile') return { json: { ok: true, result: { file_path: 'photos/1.jpg' } } };
		if (method === 'sendMessage') bot.sent.push({ method, ...JSON.parse(body) });
		if (method === 'sendVideo') {
			const parts = partsOf(body, headers['content-type']);
			const video = parts.find(({ head }) => head.includes('name="video"'));
			const chat = parts.find(({ head }) => head.includes('name="chat_id"'));
			bot.sent.push({ method, chat_id: chat.bytes.toString(), video: video.bytes });
		}
		return { json: { ok: true, result: { message_id: bot.sent.length } } };
	});
	const credential = { accessToken: '1:stand-in', baseUrl: url };
	/** A message to the bot; returns the status of n8n's response. */
	const receive = async (message) => {
		const { url: target, secret_token: secret } = bot.webhook;
		const response = await fetch(target, {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret },
			body: JSON.stringify({ update_id: 1, message }),
		});
		return response.status;
	};
	return Object.assign(bot, { credential, receive, close });
}
