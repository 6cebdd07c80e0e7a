import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { openEditor } from '../lib/editor.mjs';
import { ROOT_DIR } from '../lib/paths.mjs';
import { klingNode, klingTrigger, manualTrigger, workflow } from '../lib/workflow.mjs';

const folder = join(ROOT_DIR, 'test-artefacts', `editor-n8n-${prepared.line}`);

describe(`the editor of n8n ${prepared.line}.x`, () => {
	let sandbox;
	let editor;
	let workflowId;

	before(async () => {
		sandbox = await ownSandbox();
		const rest = sharedN8n();
		const credential = await storeCredential(rest, sandbox, 'kling');
		const images = ['portrait.jpg', 'second.jpg'].map(
			(name) => `${sandbox.url}/_sandbox/images/${name}`,
		);
		const [image, secondImage] = images;
		const effect = klingNode(
			'Effect',
			credential,
			{
				operation: 'create',
				effectType: 'dual',
				imageInput: 'url',
				image,
				secondImage,
				waitForCompletion: true,
				downloadVideo: true,
				options: { pollInterval: 1 },
			},
			{ position: [240, 0] },
		);
		const trigger = klingTrigger('Ended', credential, {}, { position: [0, 240] });
		const nodes = [manualTrigger('Start'), effect, trigger];
		({ id: workflowId } = await rest.createWorkflow(
			workflow('in the editor', nodes, [['Start', 'Effect']]),
		));
		editor = await openEditor(prepared.url);
	});
	after(async () => await editor?.close());

	/** A test that leaves a picture of the screen behind, of its end or of where it failed. */
	function scene(name, test) {
		const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.png`);
		it(name, async () => {
			try {
				await test();
			} catch (error) {
				await editor.screenshot(file).catch(() => {});
				throw error;
			}
			await editor.screenshot(file);
		});
	}

	scene('offers the actions and the trigger in the nodes panel', async () => {
		await editor.openWorkflow(workflowId);
		const names = await editor.searchNodes('kling');
		assert.ok(names.includes('Kling Effects'), names.join(', '));
		const actions = await editor.actionsOf('Kling Effects');
		for (const action of [
			'Create video effect task',
			'Get video effect task',
			'Get many video effect tasks',
		]) {
			assert.ok(actions.includes(action), actions.join(', '));
		}
	});

	scene('opens the node from the canvas', async () => {
		await editor.openWorkflow(workflowId);
		await editor.openNode('Effect');
		assert.equal(await editor.valueOf('effectScene'), '');
	});

	scene('finds scenes of the effect type while one types', async () => {
		const found = await editor.searchList('effectScene', 'hug');
		assert.equal(found[0], 'hug_pro');
		assert.ok(found.every((name) => name.includes('hug')));
	});

	scene('takes the scene that one chooses', async () => {
		await editor.pick('effectScene', 'hug_pro');
		assert.equal(await editor.valueOf('effectScene'), 'hug_pro');
	});

	scene('executes the step and shows the finished task', async () => {
		await editor.execute();
		const shown = await editor.show('json');
		const [charge, ...others] = sandbox.charges;
		assert.deepEqual(others, []);
		assert.equal(charge.effectScene, 'hug_pro');
		for (const text of [charge.taskId, '"succeed"', '"hug_pro"', '.mp4']) {
			assert.ok(shown.includes(text), shown);
		}
	});

	scene('plays the video in the output panel', async () => {
		const { duration, videoWidth, videoHeight } = await editor.viewVideo();
		assert.ok(duration > 0 && videoWidth > 0 && videoHeight > 0);
	});

	scene('opens the credential, whose test is green', async () => {
		await editor.openCredential();
	});

	scene('fetches a test event with the trigger', async () => {
		await editor.openWorkflow(workflowId);
		await editor.openNode('Ended');
		await editor.execute();
		const shown = await editor.show('json');
		for (const text of [sandbox.charges[0].taskId, '"succeed"']) {
			assert.ok(shown.includes(text), shown);
		}
	});
});
