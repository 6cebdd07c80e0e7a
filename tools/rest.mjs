import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { UserError } from './progress.mjs';

const pollMs = 250;
/** n8n binds a session to the browser that opened it. */
const browserId = 'kling-effects-e2e';
/** Final states of an execution. */
const final = new Set(['success', 'error', 'canceled', 'crashed']);

/** The owner of every n8n started here. No secret: such an n8n lives in a temporary folder on localhost. */
export const ownerAccount = {
	email: 'owner@example.com',
	password: 'Passw0rd123',
	firstName: 'Kling',
	lastName: 'Effects',
};

/** n8n's REST API refused. */
export class RestError extends Error {
	constructor(method, path, status, body) {
		const text = typeof body === 'string' ? body : JSON.stringify(body);
		super(`${method} ${path}: ${status} ${text.slice(0, 800)}`);
		this.status = status;
		this.body = body;
	}
}

function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

/** A client for the REST API that n8n's own editor uses; the same for n8n 1.123 and 2.x. */
export class N8nRest {
	#cookie;

	/** `session` continues one opened by another client, maybe in another process. */
	constructor(url, session) {
		this.url = url;
		this.#cookie = session;
	}

	/** What another client needs to continue as the same user. n8n allows only few logins per minute. */
	get session() {
		return this.#cookie;
	}

	/** Any request. Gives the `data` of the answer. */
	async request(method, path, body) {
		const answer = await this.#fetch(method, path, body);
		const json = parse(await answer.text());
		if (!answer.ok) throw new RestError(method, path, answer.status, json);
		return json?.data ?? json;
	}

	async #fetch(method, path, body) {
		const headers = { 'browser-id': browserId, 'content-type': 'application/json' };
		if (this.#cookie) headers.cookie = this.#cookie;
		const send = async () =>
			await fetch(this.url + path, {
				method,
				headers,
				body: body === undefined ? undefined : JSON.stringify(body),
			});
		const answer = await send().catch(async (error) => {
			// A busy n8n may close an idle connection just as it is used again.
			const isIdle = error.cause?.code === 'UND_ERR_SOCKET' && method === 'GET';
			if (!isIdle) throw error;
			return await send();
		});
		const cookies = answer.headers.getSetCookie();
		if (cookies.length) this.#cookie = cookies.map((cookie) => cookie.split(';')[0]).join('; ');
		return answer;
	}

	/** Creates the owner, which also logs in, or logs in if there already is one. */
	async login(owner = ownerAccount) {
		try {
			await this.request('POST', '/rest/owner/setup', owner);
		} catch (error) {
			if (error.status !== 400) throw error;
			const { email, password } = owner;
			await this.request('POST', '/rest/login', { emailOrLdapLoginId: email, password });
		}
	}

	/** All node type descriptions, as the editor loads them. */
	async nodeTypes() {
		return await this.request('GET', '/types/nodes.json');
	}

	/** All credential type descriptions, as the editor loads them. */
	async credentialTypes() {
		return await this.request('GET', '/types/credentials.json');
	}

	async createCredential(name, type, data) {
		return await this.request('POST', '/rest/credentials', { name, type, data });
	}

	async updateCredential(id, name, type, data) {
		return await this.request('PATCH', `/rest/credentials/${id}`, { name, type, data });
	}

	async deleteCredential(id) {
		return await this.request('DELETE', `/rest/credentials/${id}`);
	}

	/** Runs the credential's own test. Gives `{ status: 'OK' | 'Error', message }`. */
	async testCredential({ id, name, type }, data) {
		const credentials = { id, name, type, data };
		return await this.request('POST', '/rest/credentials/test', { credentials });
	}

	/** Stores a workflow, or an example file's contents. */
	async createWorkflow({ name, nodes, connections, settings = {}, ...rest }) {
		const body = { name, nodes, connections, settings, ...rest, active: false };
		return await this.request('POST', '/rest/workflows', body);
	}

	async workflow(id) {
		return await this.request('GET', `/rest/workflows/${id}`);
	}

	async updateWorkflow(id, changes) {
		const { versionId } = await this.workflow(id);
		return await this.request('PATCH', `/rest/workflows/${id}`, { versionId, ...changes });
	}

	/** Activates (in n8n 2: publishes) the newest version of a workflow. */
	async activate(id) {
		const { versionId } = await this.workflow(id);
		return await this.request('POST', `/rest/workflows/${id}/activate`, { versionId });
	}

	async deactivate(id) {
		return await this.request('POST', `/rest/workflows/${id}/deactivate`, {});
	}

	/**
	 * Runs a workflow as the editor's button does, from this trigger node; as far as `destination` if
	 * that is given. With `input`, the trigger gives this, as the editor's chat has it. Gives the
	 * execution's id.
	 */
	async startManually(id, triggerName, { destination, input } = {}) {
		const workflowData = await this.workflow(id);
		// n8n 1 runs the workflow that the body holds; n8n 2 ignores it and runs the stored one.
		const body = { workflowData, triggerToStartFrom: { name: triggerName } };
		if (input) {
			const data = { main: [[{ json: input }]] };
			const times = { startTime: Date.now(), executionTime: 0, executionStatus: 'success' };
			body.triggerToStartFrom.data = { ...times, source: [null], data };
		}
		if (destination) body.destinationNode = { nodeName: destination, mode: 'inclusive' };
		const answer = await this.request('POST', `/rest/workflows/${id}/run`, body);
		if (answer.executionId) return answer.executionId;
		throw new Error(`The run did not start: ${JSON.stringify(answer)}`);
	}

	/** Runs a workflow as the editor's button does, to its end. */
	async runManually(id, triggerName, options) {
		return await this.waitForExecution(await this.startManually(id, triggerName, options), options);
	}

	/** The editor's button "Fetch Test Event" of a polling trigger, to the end of that run. */
	async fetchTestEvent(id, triggerName) {
		const options = { destination: triggerName };
		return await this.waitForExecution(await this.startManually(id, triggerName, options));
	}

	/**
	 * Why the trigger of an active workflow does not run, as far as n8n 2 knows: it says that a workflow
	 * is active before it has tried. n8n 1 tries first and refuses to activate.
	 */
	async activationError(id) {
		const path = `/rest/workflows/${id}/publication-status`;
		const { triggers } = await this.request('GET', path);
		return triggers.map(({ errorMessage }) => errorMessage).find(Boolean) ?? null;
	}

	/** Executions of a workflow, newest first, without their data. */
	async executions(workflowId, filter = {}) {
		const query = encodeURIComponent(JSON.stringify({ workflowId, ...filter }));
		return (await this.request('GET', `/rest/executions?filter=${query}&limit=100`)).results;
	}

	/** One execution with its data. */
	async execution(id) {
		const execution = await this.request('GET', `/rest/executions/${id}`);
		return { ...execution, data: unflatten(execution.data) };
	}

	/**
	 * Waits until an execution has reached an end, or one of the given states (`waiting`, say).
	 * An execution that n8n was told not to save is never found.
	 */
	async waitForExecution(id, { timeoutMs = 120_000, states = final } = {}) {
		const wanted = new Set(states);
		const deadline = Date.now() + timeoutMs;
		let status = 'unknown';
		while (Date.now() < deadline) {
			status = await this.#executionStatus(id);
			if (wanted.has(status)) return await this.execution(id);
			await delay(pollMs);
		}
		throw new Error(`Execution ${id} is still "${status}" after ${timeoutMs / 1000} s`);
	}

	async #executionStatus(id) {
		try {
			return (await this.request('GET', `/rest/executions/${id}`)).status;
		} catch (error) {
			// In queue mode and right after the start, the row may not be there yet.
			if (error.status === 404) return 'not stored';
			throw error;
		}
	}

	/** Waits until a workflow (an active one, say) has this many ended executions; newest first. */
	async waitForExecutions(workflowId, count, { timeoutMs = 120_000 } = {}) {
		const deadline = Date.now() + timeoutMs;
		let ended = [];
		while (Date.now() < deadline) {
			ended = (await this.executions(workflowId)).filter(({ status }) => final.has(status));
			if (ended.length >= count) {
				return await Promise.all(ended.map(async ({ id }) => await this.execution(id)));
			}
			await delay(pollMs);
		}
		const missing = `${ended.length} of ${count} executions`;
		throw new Error(`Only ${missing} of workflow ${workflowId} ended within ${timeoutMs / 1000} s`);
	}

	/** n8n's Retry button, which answers when the new execution has ended. Gives that execution. */
	async retryExecution(id, { loadWorkflow = false } = {}) {
		const path = `/rest/executions/${id}/retry`;
		const { id: retryId } = await this.request('POST', path, { loadWorkflow });
		return await this.waitForExecution(retryId);
	}

	async stopExecution(id) {
		return await this.request('POST', `/rest/executions/${id}/stop`, {});
	}

	/** The entries of a resource locator's list, as the editor shows them as you type. */
	async listSearch(node, { path, methodName, filter, paginationToken }) {
		return await this.request('POST', '/rest/dynamic-node-parameters/resource-locator-results', {
			...dynamicRequest(node, path, methodName),
			filter,
			paginationToken,
		});
	}

	/** The choices of an options parameter that are loaded from the node. */
	async loadOptions(node, { path, methodName }) {
		const body = dynamicRequest(node, path, methodName);
		return await this.request('POST', '/rest/dynamic-node-parameters/options', body);
	}

	/** A file of an item as a stream, wherever n8n keeps it. */
	async binaryStream(binary) {
		if (!binary.id) return Readable.from([Buffer.from(binary.data, 'base64')]);
		const query = new URLSearchParams({
			id: binary.id,
			action: 'download',
			fileName: binary.fileName ?? '',
			mimeType: binary.mimeType ?? '',
		});
		const answer = await this.#fetch('GET', `/rest/binary-data?${query}`);
		if (!answer.ok) {
			throw new RestError('GET', '/rest/binary-data', answer.status, await answer.text());
		}
		return Readable.fromWeb(answer.body);
	}

	/** A file of an item as bytes. */
	async binary(binary) {
		const chunks = [];
		for await (const chunk of await this.binaryStream(binary)) chunks.push(chunk);
		return Buffer.concat(chunks);
	}
}

function dynamicRequest(node, path, methodName) {
	return {
		path,
		methodName,
		nodeTypeAndVersion: { name: node.type, version: node.typeVersion },
		currentNodeParameters: node.parameters,
		credentials: node.credentials,
	};
}

/** n8n keeps execution data in the "flatted" format: one array, strings are indexes into it. */
export function unflatten(text) {
	if (typeof text !== 'string') return text;
	const values = JSON.parse(text);
	const made = new Map();
	const revive = (index) => {
		const value = values[index];
		if (value === null || typeof value !== 'object') return value;
		if (made.has(index)) return made.get(index);
		const copy = Array.isArray(value) ? [] : {};
		made.set(index, copy);
		for (const [key, inner] of Object.entries(value)) {
			copy[key] = typeof inner === 'string' ? revive(Number(inner)) : inner;
		}
		return copy;
	};
	return revive(0);
}

/** A node's output in its last run of an execution; `output` 1 is its error branch. */
export function itemsOf(execution, nodeName, { output = 0, run = -1 } = {}) {
	return execution.data.resultData.runData[nodeName]?.at(run)?.data?.main?.[output] ?? [];
}

/** Why an execution failed, in n8n's own words. */
export function errorOf(execution) {
	const { error, runData = {} } = execution.data?.resultData ?? {};
	const ofNode = Object.values(runData)
		.flat()
		.map((run) => run.error)
		.find(Boolean);
	return error ?? ofNode;
}

/** Throws with what n8n says if an execution did not end well. */
export function assertSucceeded(execution) {
	const error = errorOf(execution);
	if (execution.status === 'success' && !error) return execution;
	const where = error?.node?.name ? ` in the node "${error.node.name}"` : '';
	const details = [error?.message, error?.description].filter(Boolean).join('\n  ');
	throw new UserError(`The execution ended with "${execution.status}"${where}:\n  ${details}`);
}
