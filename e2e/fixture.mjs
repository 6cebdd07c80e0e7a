import { after } from 'node:test';

import { startN8n } from '../tools/n8n.mjs';
import { N8nRest } from '../tools/rest.mjs';
import { startSandbox } from '../tools/sandbox.mjs';
import { credentialType } from '../tools/workflow.mjs';

if (!process.env.KLING_E2E) throw new Error('Run these tests with: npm run test:e2e');

/**
 * What run.mjs prepared: the n8n `line` under test, the packed package's `tarball`, and the n8n that
 * all test files share with its `url` and the `filesDir` that its workflows may read and write.
 */
export const prepared = JSON.parse(process.env.KLING_E2E);

// Registered here, at the file's top level: inside a `before` hook, it would run when that hook ends.
const endings = [];
after(async () => {
	for (const end of endings.reverse()) await end();
});

/** A REST client, logged in, for the n8n that all test files share. Do not stop or restart that one. */
export function sharedN8n() {
	return new N8nRest(prepared.url, prepared.session);
}

/**
 * An n8n for one test file alone, which it may restart, kill and configure (`env`, `binaryDataMode`,
 * `command`; see `prepareN8n`). Removed when the file's tests are over.
 */
export async function ownN8n(options = {}) {
	const server = await startN8n(prepared.line, { tarball: prepared.tarball, ...options });
	endings.push(async () => await server.dispose());
	return server;
}

/** A sandbox for one test file, in the test's own process: its tasks, charges and faults can be read and set. */
export async function ownSandbox(options = {}) {
	const sandbox = await startSandbox({ taskSeconds: 1, ...options });
	endings.push(async () => await sandbox.close());
	return sandbox;
}

/** Stores a credential that works against this sandbox. `data` overrides its properties. */
export async function storeCredential(rest, sandbox, provider, data = {}) {
	const all = sandbox.credential(provider, data);
	return await rest.createCredential(provider, credentialType, all);
}
