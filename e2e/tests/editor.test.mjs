import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { openEditor } from '../lib/editor.mjs';
import { rootDir } from '../../tools/paths.mjs';
import {
	klingNode,
	klingTrigger,
	locator,
	manualTrigger,
	workflow,
} from '../../tools/workflow.mjs';

const folder = join(rootDir, 'test-artefacts', `editor-n8n-${prepared.line}`);

describe(`the editor of n8n ${prepared.line}.x`, () => {
	let sandbox;
	let editor;
	let workflowId;
	let photo;
	let secondPhoto;

	before(async () => {
		sandbox = await ownSandbox();
		const rest = sharedN8n();
		const credential = await storeCredential(rest, sandbox, 'kling');
		await storeCredential(rest, sandbox, 'cometApi');
		const address = (name) => `${sandbox.url}/_sandbox/images/${name}`;
		[photo, secondPhoto] = [address('portrait.jpg'), address('second.jpg')];
		const failed = {
			operation: 'create',
			effectScene: locator('list', 'pet_dance'),
			imageInput: 'url',
			image: address('fail.jpg'),
			waitForCompletion: true,
			options: { pollInterval: 1 },
		};
		const byExpression = { effectScene: locator('list', '={{ $json.scene }}') };
		const nodes = [
			manualTrigger('Start'),
			// As n8n saves an unchanged node.
			{ ...klingNode('Effect', credential), parameters: {}, position: [240, 0] },
			{ ...klingNode('Hug', credential), parameters: {}, position: [480, 0] },
			{ ...klingNode('Scenes', credential), credentials: {}, position: [720, 0] },
			klingNode('Fails', credential, failed, { position: [960, 0] }),
			klingTrigger('Ended', credential, {}, { position: [0, 240] }),
			klingNode('By Expression', credential, byExpression, { position: [240, 240] }),
		];
		nodes[3].parameters = { resource: 'scene', operation: 'list', images: 'dual', search: 'kiss' };
		const lines = ['Effect', 'Hug', 'Scenes', 'Fails', 'By Expression'].map((name) => [
			'Start',
			name,
		]);
		({ id: workflowId } = await rest.createWorkflow(workflow('in the editor', nodes, lines)));
		editor = await openEditor(prepared.url);
	});
	after(async () => await editor?.close());

	/** A test that leaves a screenshot behind, of its end or of where it failed. */
	function scene(name, act) {
		const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.png`);
		test(name, async () => {
			try {
				await act();
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
			'Create video from photos',
			'Get video',
			'Get many videos',
			'Get many effect scenes',
		]) {
			assert.ok(actions.includes(action), actions.join(', '));
		}
	});

	scene('makes a video of one photo with four clicks in the open node', async () => {
		await editor.openWorkflow(workflowId);
		await editor.openNode('Effect');
		const before = await editor.clicks();
		const found = await editor.searchList('effectScene', 'pet');
		assert.ok(found.includes('Pet Dance'), found.join(', '));
		await editor.pick('effectScene', 'Pet Dance');
		await editor.expectLabels(/Effect Type|Image$/, ['Image']);
		await editor.fill('image', photo);
		await editor.execute();
		assert.equal((await editor.clicks()) - before, 4);
		const shown = await editor.show('json');
		const [charge, ...others] = sandbox.charges;
		assert.deepEqual(others, []);
		assert.equal(charge.effectScene, 'pet_dance');
		for (const text of [charge.taskId, '"succeed"', '"pet_dance"', '.mp4']) {
			assert.ok(shown.includes(text), shown);
		}
	});

	scene('shows the address of the video in the table without scrolling', async () => {
		await editor.show('table');
		const heads = editor.output.locator('th').filter({ visible: true });
		const names = (await heads.allInnerTexts()).map((text) => text.trim()).filter(Boolean);
		assert.deepEqual(names.slice(0, 3), ['taskId', 'status', 'videoUrl']);
		const address = editor.output.locator('td').filter({ hasText: '.mp4' });
		const { x, width } = await address.first().boundingBox();
		const panel = await editor.output.boundingBox();
		const seen = (panel.x + panel.width - x) / width;
		assert.ok(seen > 0.5, `${Math.round(seen * 100)} % of the address can be seen`);
	});

	scene('plays the video in the output panel', async () => {
		const { duration, videoWidth, videoHeight } = await editor.viewVideo();
		assert.ok(duration > 0 && videoWidth > 0 && videoHeight > 0);
	});

	scene('opens the credential, whose test is green', async () => {
		await editor.openCredential();
	});

	scene('keeps showing the chosen scene while you switch the credential twice', async () => {
		await editor.openWorkflow(workflowId);
		await editor.openNode('Effect');
		await editor.searchList('effectScene', 'skate');
		await editor.pick('effectScene', 'Skateskate');
		for (const name of ['cometApi', 'kling']) {
			await editor.chooseCredential(name, { reloads: prepared.line === '2' });
			assert.equal(await editor.valueOf('effectScene'), 'Skateskate');
		}
	});

	scene('finds “kiss” at once, and shows the second photo’s field by itself', async () => {
		await editor.openWorkflow(workflowId);
		await editor.openNode('Hug');
		const before = await editor.clicks();
		const found = await editor.searchList('effectScene', 'kiss');
		assert.deepEqual(found.slice(0, 2), ['Kiss Pro · two photos', 'Eternal Kiss · two photos']);
		await editor.pick('effectScene', 'Kiss Pro · two photos');
		await editor.expectLabels(/Effect Type|Image$/, ['Left Image', 'Right Image']);
		await editor.fill('image', photo);
		await editor.fill('secondImage', secondPhoto);
		await editor.execute();
		assert.equal((await editor.clicks()) - before, 5);
		assert.equal(sandbox.charges.at(-1).effectScene, 'kiss_pro');
		await editor.show('json');
	});

	scene('asks for the number of images only of a scene that no list has', async () => {
		const fields = /Effect Type|Image$/;
		await editor.searchList('effectScene', 'pet dance');
		await editor.pick('effectScene', 'Pet Dance');
		await editor.expectLabels(fields, ['Image']);
		await editor.enterByName('effectScene', 'scene_of_next_month');
		await editor.expectLabels(fields, ['Effect Type', 'Image']);
		await editor.choose('effectType', 'Two Images');
		await editor.expectLabels(fields, ['Effect Type', 'Image', 'Second Image']);
		await editor.enterByName('effectScene', 'pet_dance');
		await editor.expectLabels(fields, ['Image']);
	});

	scene('shows both images, and keeps the subtitle, where the scene is an expression', async () => {
		await editor.openWorkflow(workflowId);
		const subtitle = editor.page.locator('[data-node-name="By Expression"]').getByText('Create');
		await subtitle.first().waitFor();
		await editor.openNode('By Expression');
		await editor.expectLabels(/Effect Type|Image$/, ['Image', 'Second Image']);
	});

	scene('says before a run that it costs credit and takes minutes', async () => {
		await editor.openWorkflow(workflowId);
		await editor.openNode('By Expression');
		await editor.output.getByText('costs credit at your provider').waitFor();
	});

	scene('lists scenes without a credential', async () => {
		await editor.openWorkflow(workflowId);
		await editor.openNode('Scenes');
		assert.equal(await editor.part('node-credentials-select', editor.panel).count(), 0);
		await editor.execute();
		const shown = await editor.show('json');
		for (const text of ['"kiss_pro"', '"Eternal Kiss"', '"availability"'])
			assert.ok(shown.includes(text));
		assert.ok(!shown.includes('hug_pro'), shown);
	});

	scene('says once why a task failed, which it is, and what to do', async () => {
		await editor.openWorkflow(workflowId);
		await editor.openNode('Fails');
		await assert.rejects(editor.execute(), ({ message }) => {
			const { taskId } = sandbox.charges.at(-1);
			const times = (text) => message.split(text).length - 1;
			assert.equal(times(taskId), 1, message);
			assert.equal(times('Image pixel is invalid'), 1, message);
			assert.match(message, /Use an image with at least 300 pixels per side/);
			assert.match(message, /charged 0 units/);
			return true;
		});
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
