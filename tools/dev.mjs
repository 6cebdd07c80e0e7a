// npm run dev: the n8n editor with this package and the sandbox, until Ctrl-C.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

import cli from './cli.cjs';
import { ensureN8n } from './install.mjs';
import { startN8n } from './n8n.mjs';
import { buildAndPack } from './pack.mjs';
import { makeTempDir, rootDir } from './paths.mjs';
import { isPortFree } from './process.mjs';
import { main, say, step, table, UserError } from './progress.mjs';
import { ownerAccount } from './rest.mjs';
import { providerNames, savePhotos, startSandbox } from './sandbox.mjs';
import { credentialType, demoPhotos, demoWorkflow } from './workflow.mjs';

const settings = cli.commandLine({
	command: 'npm run dev',
	about: `Starts the n8n editor with this package in it, all examples, and the simulated providers,
until Ctrl-C. The first run installs n8n, which takes a few minutes.`,
	options: {
		line: { value: '1|2', oneOf: ['1', '2'], default: '2', about: 'which n8n' },
		port: { value: 'N', number: 'whole', default: 5678, about: "the editor's; 0 takes a free one" },
		'sandbox-port': { value: 'N', number: 'whole', default: 4010, about: "the providers'" },
		'task-seconds': { value: 'N', number: true, default: 20, about: 'how long a task takes' },
	},
});

async function requireFree(port, option) {
	if (port === 0 || (await isPortFree(port))) return;
	const other = `npm run dev -- ${option} <another>`;
	throw new UserError(`Port ${port} is taken. End what uses it, or choose another: ${other}`);
}

/** The example workflows, with this credential and with photos and folders that exist here. */
async function importExamples(n8n, sandbox, credential) {
	const folder = join(rootDir, 'examples');
	const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
	// The editor lists the newest first.
	names.sort((a, b) => parseInt(b, 10) - parseInt(a, 10));
	for (const name of names) {
		const text = readFileSync(join(folder, name), 'utf8')
			.replaceAll('https://example.com/', `${sandbox.url}/_sandbox/images/`)
			.replaceAll('https://n8n.example.com/', `${n8n.url}/`)
			.replaceAll('/home/node/.n8n-files', n8n.filesDir);
		const example = JSON.parse(text);
		for (const { credentials } of example.nodes) {
			if (credentials?.[credentialType]) {
				credentials[credentialType] = { id: credential.id, name: credential.name };
			}
		}
		await n8n.rest.createWorkflow(example);
	}
	return names.length;
}

async function fill(n8n, sandbox) {
	await savePhotos(sandbox, n8n.filesDir, demoPhotos);
	const rows = [];
	const credentials = {};
	for (const [provider, displayName] of Object.entries(providerNames)) {
		const name = `${displayName} (sandbox)`;
		const data = sandbox.credential(provider);
		const credential = await n8n.rest.createCredential(name, credentialType, data);
		const workflowName = `Kling Effects demo: ${displayName}`;
		const body = demoWorkflow(workflowName, credential, n8n.filesDir, { pollInterval: 5 });
		await n8n.rest.createWorkflow(body);
		rows.push([displayName, sandbox.baseUrl(provider), data.apiKey]);
		credentials[provider] = credential;
	}
	const examples = await importExamples(n8n, sandbox, credentials.kling);
	return { rows, examples };
}

function explain(n8n, sandbox, { rows, examples }) {
	const access = sandbox.accessKeyCredential();
	say(`\n  Editor     ${n8n.url}`);
	say(`  Login      ${ownerAccount.email}   Password  ${ownerAccount.password}`);
	say(`  Photos     ${n8n.filesDir}   (workflows may read and write files here)`);
	say(`  n8n's log  ${n8n.logFile}`);
	say(`  Sandbox    ${sandbox.url}/_sandbox/state\n`);
	say(table(['Provider', 'Base URL', 'API key'], rows));
	say(`\n  Kling AI also takes access key ${access.accessKey} with secret key ${access.secretKey}`);
	say(
		`\nIn the editor: a credential and a demo workflow for each provider, and ${examples} examples.`,
	);
	say('The examples use the Kling AI credential; choose another to try another provider.');
	say('Ctrl-C ends everything.');
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
	const { line, port, sandboxPort, taskSeconds } = settings;
	await requireFree(port, '--port');
	await requireFree(sandboxPort, '--sandbox-port');
	const work = makeTempDir('dev');
	let sandbox;
	let n8n;
	try {
		const tarball = await buildAndPack(work);
		await ensureN8n(line);
		const options = { port: sandboxPort, taskSeconds, clips: 'made' };
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
