// npm run test:queue: n8n's queue mode, with workers that are killed.
import cli from '../tools/cli.cjs';
import { ensureN8n } from '../tools/install.mjs';
import { main, say } from '../tools/progress.mjs';
import { linesOf, runFiles, runLines, testFilesIn } from './lib/suite.mjs';
import {
	clearRedis,
	createDatabase,
	dropDatabase,
	queueEnv,
	servicesOf,
	whatIsMissing,
} from './queue/services.mjs';

/** The exit code where PostgreSQL or Redis does not answer: nothing was tested then. */
const notHere = 2;

/** A database and Redis keys of this run alone, beside everything else that uses the two. */
async function runLine(line, tarball, services) {
	const install = await ensureN8n(line);
	const name = `kling_effects_queue_${line}_${process.pid}`;
	say(`\nn8n ${install.version}: one main and two workers, database ${name}`);
	await createDatabase(install, services, name);
	try {
		const env = queueEnv(services, { database: name, prefix: name });
		process.env.KLING_E2E = JSON.stringify({ line, tarball, services, env });
		return await runFiles(testFilesIn('queue'), 1);
	} finally {
		await dropDatabase(install, services, name);
		await clearRedis(install, services, [name]);
	}
}

const { line, check } = cli.commandLine({
	command: 'npm run test:queue',
	about: "Tests n8n's queue mode, with workers that are killed. Needs PostgreSQL and Redis.",
	options: {
		line: { value: '1|2', oneOf: ['1', '2'], about: 'one line of n8n; both without it' },
		check: { about: 'only says whether PostgreSQL and Redis answer' },
	},
});

await main(async () => {
	const lines = linesOf(line);
	const services = servicesOf();
	const missing = await whatIsMissing(services);
	if (missing) {
		console.error(missing);
		return notHere;
	}
	if (check) {
		say('PostgreSQL and Redis answer.');
		return 0;
	}
	return await runLines(lines, async (line, tarball) => await runLine(line, tarball, services));
});
