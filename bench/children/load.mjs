import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Loads n8n-workflow, then a package's classes on top of it, and reports what these added. Plain
 * JavaScript, so that nothing but Node.js itself stands between.
 */
const [what, folder] = process.argv.slice(2);
const requireOfN8n = createRequire(join(process.env.BENCH_N8N_DIR, 'package.json'));

const loads = {
	ours: () => classFiles().map((file) => instanceOf(createRequire(file)(file))),
	http: () => [
		instanceOf(requireOfN8n('n8n-nodes-base/dist/nodes/HttpRequest/HttpRequest.node.js')),
	],
};

/** What is loaded stays, or its memory would not be seen. */
const kept = [];

const workflow = await added(() => [requireOfN8n('n8n-workflow')]);
process.send({ workflow, own: await added(loads[what]) }, () => process.exit());

async function added(load) {
	const before = await memory();
	const startedAt = performance.now();
	kept.push(load());
	const ms = performance.now() - startedAt;
	const after = await memory();
	return { ms, heap: after.heap - before.heap, rss: after.rss - before.rss };
}

/** MB, after garbage collection. */
async function memory() {
	for (let round = 0; round < 3; round++) {
		globalThis.gc();
		await delay(50);
	}
	const { heapUsed, rss } = process.memoryUsage();
	return { heap: heapUsed / 1024 ** 2, rss: rss / 1024 ** 2 };
}

function classFiles() {
	const { n8n } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
	return [...n8n.nodes, ...n8n.credentials].map((file) => join(folder, file));
}

/** A file of n8n's exports the class of its own name. */
function instanceOf(exports) {
	const [Class] = Object.values(exports).filter((one) => typeof one === 'function');
	return new Class();
}
