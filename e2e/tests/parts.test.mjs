import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { prepared } from '../fixture.mjs';
import { ensureN8n } from '../../tools/install.mjs';
import { e2eDir, makeTempDir } from '../../tools/paths.mjs';
import { cleanEnv } from '../../tools/process.mjs';

const create = 'Until nodes/n8n/execution.ts finds it, Create refuses to wait by callback';
const stand =
	'Read it again, and bring tools/sleepingN8n.ts and nodes/KlingEffects/afterTask up to it';

/** What n8n-workflow's types do not name, and what was read in n8n: the text is for people who update n8n. */
const sentences = {
	executeData: `does not show a node what it runs it with (\`executeData\`). ${create}`,
	runExecutionData: `does not show a node its execution (\`runExecutionData\`). ${create}`,
	storedContext: `does not store the context that it shows a node (\`getContext\`) with the execution. Create refuses to wait by callback`,
	executeDataOfWebhook: `does not show a sleeping node's webhook what it ran the node with (\`executeData\`). Callbacks cannot wake it`,
	runExecutionDataOfWebhook: `does not show a sleeping node's webhook its execution (\`runExecutionData\`). Callbacks cannot wake it`,
	wakesWithWhatIsStored: `does not wake a sleeping execution once, with what it has stored, when its time is over (\`WaitTracker\`). ${stand}`,
	leavesWhatSucceeded: `wakes an execution that has succeeded (\`WaitTracker\`). ${stand}`,
};

describe(`what the nodes read from n8n ${prepared.line}.x beyond its types`, () => {
	let version;
	let found;

	before(async () => {
		const { dir, nodeBinary, ...install } = await ensureN8n(prepared.line);
		const script = join(e2eDir, 'lib', 'n8nParts.cjs');
		({ version } = install);
		// n8n-core keeps a key in its folder; if there is none yet, it creates one and says so first.
		const folder = makeTempDir('parts');
		const env = cleanEnv({ N8N_USER_FOLDER: folder });
		const told = execFileSync(nodeBinary, [script, dir], { env, cwd: dir, encoding: 'utf8' });
		rmSync(folder, { recursive: true });
		found = JSON.parse(told.split('\n').at(-1));
	});

	test('is where it was', () => {
		const moved = Object.keys(sentences).filter((name) => !found[name]);
		const text = moved.map((name) => `n8n ${version} ${sentences[name]}.`).join('\n');
		assert.deepEqual(moved, [], text);
	});
});
