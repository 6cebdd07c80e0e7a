import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { changeRequests, withNodeSource } from '../../tools/resolve';

/** The n8n install whose modules are measured; set by run.mjs. */
export const n8nDir = process.env.BENCH_N8N_DIR ?? '';
/** A folder for this run's files, removed at its end. */
export const benchFolder = process.env.BENCH_FOLDER ?? '';

const ofN8n = /^(n8n-core|n8n-workflow|n8n-nodes-base|@n8n\/[^/]+|reflect-metadata|zod)(\/|$)/;
const requireOfN8n = createRequire(join(n8nDir, 'package.json'));

/**
 * Lets this clone's own files find n8n's modules in the install, like n8n's nodes: one engine, and one
 * n8n-workflow, for all nodes.
 */
function useModulesOfN8n(): void {
	changeRequests((request, parentFile) => {
		if (parentFile.startsWith(n8nDir + sep)) return request;
		return ofN8n.test(request) ? requireOfN8n.resolve(request) : withNodeSource(request);
	});
}

if (n8nDir) useModulesOfN8n();

/** A node of n8n's own, by its folder in n8n-nodes-base. */
export function n8nNodeClass(name: string): new () => unknown {
	const path = `n8n-nodes-base/dist/nodes/${name}/${name}.node.js`;
	return (requireOfN8n(path) as Record<string, new () => unknown>)[name];
}
