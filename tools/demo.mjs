// npm run demo: from a fresh clone to a playing clip. `--help` lists its options.
import cli from './cli.cjs';
import { runInEngine } from './demoInEngine.mjs';
import { runInServer } from './demoInServer.mjs';
import { main, say, UserError } from './progress.mjs';
import { providerNames } from './sandbox.mjs';

const names = Object.keys(providerNames);

const { provider, scene, server, line, rest } = cli.commandLine({
	command: 'npm run demo',
	about: `Makes clips with the Kling Effects node in n8n's own execution engine. The providers are
simulated (sandbox/), so it needs no account and costs nothing. Without your own photos it uses
samples, one for a dancing pet and two for a hug.`,
	rest: { name: 'photo', most: 2, about: 'JPEG or PNG; two for an effect with two photos' },
	options: {
		scene: { value: 'NAME', about: 'the effect (pet_dance, and hug_pro for two photos)' },
		provider: { value: 'NAME', oneOf: [...names, 'all'], default: 'kling', about: 'whose sandbox' },
		server: {
			about: 'in a whole n8n server, which takes a few minutes to install; sample photos only',
		},
		line: { value: '1|2', oneOf: ['1', '2'], default: '2', about: 'with --server: which n8n' },
	},
	more: `Providers: ${[...names, 'all'].join(', ')}
Clips are written into the folder "output". "npm run dev" opens the same in n8n's editor.`,
});

await main(async () => {
	if (server && (scene || rest.length > 0)) {
		throw new UserError(
			'With --server the demo shows the sample photos: leave out photo and scene.',
		);
	}
	const providers = provider === 'all' ? names : [provider];
	const made = server
		? await runInServer(providers, line)
		: await runInEngine(providers, { photos: rest, scene });
	say(`\n${made} passed, 0 failed`);
});
