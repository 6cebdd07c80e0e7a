import { startSandbox } from '../../sandbox';

/** Serves until the process that started it is gone. */
async function main(): Promise<void> {
	const { url } = await startSandbox();
	process.once('disconnect', () => process.exit());
	process.send!(url);
}

void main();
