import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { rootDir } from './paths.mjs';

/** The providers, by their names in the credential, with their display names. */
export const providerNames = {
	kling: 'Kling AI',
	cometApi: 'CometAPI',
	kkiai: 'KKIAI',
	modellix: 'Modellix',
	apiModels: 'APIModels',
};

/**
 * Starts the sandbox (`sandbox/`) in this process: the five providers on localhost.
 * Its TypeScript needs the development tools, so call `ensureRootInstall` or `buildAndPack` before.
 */
export async function startSandbox(options = {}) {
	const { tsImport } = await import('tsx/esm/api');
	const { startSandbox: start } = await tsImport(
		join(rootDir, 'sandbox', 'index.ts'),
		import.meta.url,
	);
	return await start(options);
}

/** Writes the sandbox's sample pictures into a folder, like a user's photos. */
export async function savePhotos(sandbox, folder, names) {
	mkdirSync(folder, { recursive: true });
	for (const name of names) {
		const answer = await fetch(`${sandbox.url}/_sandbox/images/${name}`);
		if (!answer.ok) throw new Error(`The sandbox has no picture "${name}" (${answer.status})`);
		writeFileSync(join(folder, name), Buffer.from(await answer.arrayBuffer()));
	}
}
