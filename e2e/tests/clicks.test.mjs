import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ownN8n, ownSandbox, prepared } from '../fixture.mjs';
import { openEditor } from '../lib/editor.mjs';
import { rootDir } from '../../tools/paths.mjs';

const folder = join(rootDir, 'test-artefacts', `clicks-n8n-${prepared.line}`);

/** Its own n8n: n8n chooses a credential by itself only if there is just one. */
describe(`from an empty canvas to the playing clip in n8n ${prepared.line}.x`, () => {
	let sandbox;
	let editor;

	before(async () => {
		sandbox = await ownSandbox();
		const { url } = await ownN8n();
		editor = await openEditor(url);
	});
	after(async () => await editor?.close());

	async function clicksToClip(addCredential) {
		try {
			await editor.addFirst('kling', 'Kling Effects', 'Create video from photos');
			await addCredential();
			await editor.searchList('effectScene', 'dog dance');
			await editor.pick('effectScene', 'Pet Dance');
			await editor.fill('image', `${sandbox.url}/_sandbox/images/pet.png`);
			await editor.execute();
			const { videoWidth } = await editor.viewVideo();
			assert.ok(videoWidth > 0);
			return await editor.clicks();
		} finally {
			await editor.screenshot(join(folder, 'end.png')).catch(() => {});
		}
	}

	// n8n 1 asks whether to create a credential if there is none, which is one more click.
	const most = prepared.line === '1' ? { first: 12, then: 9 } : { first: 11, then: 9 };

	test(`it takes at most ${most.first} clicks with a new credential, and ${most.then} with one that is there`, async () => {
		const { apiKey, baseUrl } = sandbox.credential('kling');
		const first = await clicksToClip(async () => await editor.addCredential({ apiKey, baseUrl }));
		const second = await clicksToClip(async () => {});
		assert.ok(first <= most.first, `${first} clicks with a new credential`);
		assert.ok(second <= most.then, `${second} clicks with one that is there`);
		assert.equal(sandbox.charges.length, 2);
	});
});
