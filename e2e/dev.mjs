// npm run dev: the n8n editor with this package in it, and the sandbox beside it, until Ctrl-C.
import { rmSync } from 'node:fs';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

import { ensureN8n } from './lib/install.mjs';
import { startN8n } from './lib/n8n.mjs';
import { buildAndPack } from './lib/pack.mjs';
import { makeTempDir } from './lib/paths.mjs';
import { isPortFree } from './lib/process.mjs';
import { main, say, step, table, UserError } from './lib/progress.mjs';
import { OWNER } from './lib/rest.mjs';
import { PROVIDERS, savePhotos, startSandbox } from './lib/sandbox.mjs';
import { CREDENTIAL_TYPE, DEMO_PHOTOS, demoWorkflow } from './lib/workflow.mjs';

const TASK_SECONDS = 20;

function settings() {
	const { values } = parseArgs({
		options: {
			line: { type: 'string', default: '2' },
			port: { type: 'string', default: '5678' },
			'sandbox-port': { type: 'string', default: '4010' },
			'task-seconds': { type: 'string', default: String(TASK_SECONDS) },
		},
	});
	return {
		line: values.line,
		port: Number(values.port),
		sandboxPort: Number(values['sandbox-port']),
		taskSeconds: Number(values['task-seconds']),
	};
}

async function requireFree(port, option) {
	if (port === 0 || (await isPortFree(port))) return;
	const other = `npm run dev -- ${option} <another>`;
	throw new UserError(`Port ${port} is taken. End what uses it, or choose another: ${other}`);
}

async function fill(n8n, sandbox) {
	await savePhotos(sandbox, n8n.filesDir, DEMO_PHOTOS);
	const rows = [];
	for (const [provider, displayName] of Object.entries(PROVIDERS)) {
		const name = `${displayName} (sandbox)`;
		const data = sandbox.credential(provider);
		const credential = await n8n.rest.createCredential(name, CREDENTIAL_TYPE, data);
		const workflowName = `Kling Effects demo: ${displayName}`;
		const body = demoWorkflow(workflowName, credential, n8n.filesDir, { pollInterval: 5 });
		await n8n.rest.createWorkflow(body);
		rows.push([displayName, sandbox.baseUrl(provider), data.apiKey]);
	}
	return rows;
}

function explain(n8n, sandbox, rows) {
	const access = sandbox.accessKeyCredential();
	say(`\n  Editor     ${n8n.url}`);
	say(`  Login      ${OWNER.email}   Password  ${OWNER.password}`);
	say(`  Photos     ${n8n.filesDir}   (workflows may read and write files here)`);
	say(`  n8n's log  ${n8n.logFile}`);
	say(`  Sandbox    ${sandbox.url}/_sandbox/state\n`);
	say(table(['Provider', 'Base URL', 'API key'], rows));
	say(`\n  Kling AI also takes access key ${access.accessKey} with secret key ${access.secretKey}`);
	say('\nEach provider has its credential and its demo workflow in the editor. Ctrl-C ends all.');
}

async function untilAsked(n8n) {
	const asked = Promise.race(
		['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)),
	);
	const ended = n8n.child.exited.then(({ code }) => {
		throw new UserError(`n8n ended by itself (exit code ${code}). Its log: ${n8n.logFile}`);
	});
	await Promise.race([asked, ended]);
	n8n.child.exited.catch(() => {});
}

await main(async () => {
	const { line, port, sandboxPort, taskSeconds } = settings();
	await requireFree(port, '--port');
	await requireFree(sandboxPort, '--sandbox-port');
	const work = makeTempDir('dev');
	let sandbox;
	let n8n;
	try {
		const tarball = await buildAndPack(work);
		await ensureN8n(line);
		const options = { port: sandboxPort, taskSeconds };
		sandbox = await step('sandbox', async () => await startSandbox(options));
		const server = { tarball, port: port || undefined };
		n8n = await step(`n8n ${line}.x with the package`, async () => await startN8n(line, server));
		explain(n8n, sandbox, await fill(n8n, sandbox));
		await untilAsked(n8n);
		say('\nEnding…');
	} finally {
		await n8n?.dispose();
		await sandbox?.close();
		rmSync(work, { recursive: true, force: true });
	}
});
