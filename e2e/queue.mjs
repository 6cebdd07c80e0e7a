// npm run test:queue [-- --line 1|2] [--check]: n8n's queue mode, with workers that are killed.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

import { ensureN8n, LINES } from './lib/install.mjs';
import { buildAndPack } from './lib/pack.mjs';
import { E2E_DIR, makeTempDir } from './lib/paths.mjs';
import { main, say, UserError } from './lib/progress.mjs';
import {
	clearRedis,
	createDatabase,
	dropDatabase,
	queueEnv,
	servicesOf,
	whatIsMissing,
} from './queue/services.mjs';

/** The exit code where PostgreSQL or Redis does not answer: nothing was tested then. */
const NOT_HERE = 2;
const FILE_TIMEOUT_MS = 15 * 60_000;

function settings() {
	const { values } = parseArgs({
		options: { line: { type: 'string' }, check: { type: 'boolean', default: false } },
	});
	const lines = values.line ? [values.line] : LINES;
	const unknown = lines.find((line) => !LINES.includes(line));
	if (unknown) throw new UserError(`There is no n8n line "${unknown}". Choose 1 or 2.`);
	return { lines, isCheck: values.check };
}

async function runFiles() {
	const folder = join(E2E_DIR, 'queue');
	const names = readdirSync(folder).filter((name) => name.endsWith('.test.mjs'));
	const files = names.sort().map((name) => join(folder, name));
	const counts = { passed: 0, failed: 0 };
	const events = run({ files, concurrency: 1, timeout: FILE_TIMEOUT_MS });
	// Single tests, not the suites and files that hold them, except where these fail by themselves.
	events.on('test:pass', ({ name, details, skip }) => {
		const holdsTests = details.type === 'suite' || files.includes(name);
		if (!holdsTests && skip === undefined) counts.passed++;
	});
	events.on('test:fail', ({ details }) => {
		const byItself = details.error?.failureType === 'hookFailed';
		if (details.type !== 'suite' || byItself) counts.failed++;
	});
	for await (const chunk of events.compose(new spec())) process.stdout.write(chunk);
	return counts;
}

/** A database and Redis keys of this run alone, whatever else uses the two. */
async function runLine(line, tarball, services) {
	const install = await ensureN8n(line);
	const name = `kling_effects_queue_${line}_${process.pid}`;
	say(`\nn8n ${install.version}: one main and two workers, database ${name}`);
	await createDatabase(install, services, name);
	try {
		const env = queueEnv(services, { database: name, prefix: name });
		process.env.KLING_E2E = JSON.stringify({ line, tarball, services, env });
		return await runFiles();
	} finally {
		await dropDatabase(install, services, name);
		await clearRedis(install, services, [name]);
	}
}

await main(async () => {
	const { lines, isCheck } = settings();
	const services = servicesOf();
	const missing = await whatIsMissing(services);
	if (missing) {
		console.error(missing);
		return NOT_HERE;
	}
	if (isCheck) {
		say('PostgreSQL and Redis answer.');
		return 0;
	}
	const work = makeTempDir('queue');
	const total = { passed: 0, failed: 0 };
	try {
		const tarball = await buildAndPack(work);
		for (const line of lines) {
			const { passed, failed } = await runLine(line, tarball, services);
			total.passed += passed;
			total.failed += failed;
		}
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	say(`\n${total.passed} passed, ${total.failed} failed`);
	return total.failed > 0 || total.passed === 0 ? 1 : 0;
});
