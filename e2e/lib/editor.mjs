import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { launchChromium } from './chromium.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { ownerAccount } from '../../tools/rest.mjs';

const viewport = { width: 1440, height: 900 };
/** A busy machine renders the editor slowly. */
const timeoutMs = 60_000;
const executionTimeoutMs = 120_000;

/** Runs in each page before n8n's own scripts: sets up the editor as a person would. */
const preferences = {
	N8N_NDV_INPUT_PANEL_DISPLAY_MODE: 'table',
	N8N_NDV_OUTPUT_PANEL_DISPLAY_MODE: 'json',
	N8N_THEME: 'light',
};

/** n8n leaves the empty holders of its expression editors' tips in the corner of the screen. */
const tidy = '.app-grid > div > [class*="ͼ"]:empty { visibility: hidden; }';

const isRun = (response) =>
	response.request().method() === 'POST' && /\/workflows\/[^/]+\/run\b/.test(response.url());

async function shownIn(items) {
	return (await items.allInnerTexts()).map((name) => name.trim());
}

/** Whether a response is the list of a resource locator, searched by this text. */
function isListOf(text, response) {
	if (!response.url().endsWith('/resource-locator-results')) return false;
	return (response.request().postDataJSON().filter ?? '') === text;
}

/**
 * n8n's editor in a headless browser, driven like a person would: by what is on the screen. Parts are
 * found by n8n's own test ids, which are the same for n8n 1.123 and 2.x.
 */
export class Editor {
	constructor(url, browser, page) {
		this.url = url;
		this.browser = browser;
		this.page = page;
		/** The open node's panel. */
		this.panel = this.part('ndv');
		this.input = this.part('ndv-input-panel');
		this.output = this.part('output-panel');
	}

	/** The parts of the screen, or of another part, with this test id. */
	part(id, within = this.page) {
		return within.locator(`[data-test-id="${id}"]`);
	}

	async signIn({ email, password } = ownerAccount) {
		await this.page.goto(`${this.url}/signin`);
		await this.page.locator('input[name="emailOrLdapLoginId"]').fill(email);
		await this.page.locator('input[name="password"]').fill(password);
		await this.part('form-submit-button').click();
		await this.page.waitForURL(({ pathname }) => pathname !== '/signin');
	}

	async openWorkflow(id) {
		await this.page.goto(`${this.url}/workflow/${id}`);
		await this.part('canvas-node').first().waitFor();
		// n8n zooms so that all nodes are visible, and only then can they be clicked.
		await this.part('canvas-node').last().waitFor();
	}

	/** Adds a node's action to a new workflow; n8n opens it. */
	async addFirst(search, name, action) {
		await this.page.goto(`${this.url}/workflow/new`);
		await this.part('canvas-add-button').click();
		await this.part('node-creator-search-bar').fill(search);
		const items = this.part('node-creator-item-name');
		const named = (text) => items.filter({ hasText: new RegExp(`^\\s*${text}\\s*$`) }).first();
		await named(name).click();
		// On an empty canvas n8n folds them up below the triggers.
		const actions = this.part('node-creator-category-item').filter({ hasText: 'Actions' }).first();
		await actions.waitFor();
		if (!(await named(action).isVisible())) await actions.click();
		await named(action).click();
		await this.part('node-parameters', this.panel).waitFor();
	}

	/** Makes the open node's first credential. Its fields are filled in by keyboard, as after Tab. */
	async addCredential(fields) {
		const empty = this.part('node-credentials-empty-state', this.panel).locator('button');
		const select = this.part('node-credentials-select', this.panel);
		await empty.or(select).first().click();
		const create = this.part('node-credentials-select-item-new').filter({ visible: true });
		const save = this.part('credential-save-button');
		await create.or(save).first().waitFor();
		if (!(await save.isVisible())) await create.first().click();
		await save.waitFor();
		for (const [name, value] of Object.entries(fields)) {
			await this.part(`parameter-input-${name}`).last().locator('input').first().fill(value);
		}
		await save.click();
		// n8n 2.41 closes the dialog itself once the test was good.
		const success = this.part('credentials-config-container-test-success');
		const isDone = async () => (await success.isVisible()) || !(await save.isVisible());
		await waitUntil(isDone, { timeoutMs, describe: 'The credential test' });
		if (await save.isVisible()) await this.page.keyboard.press('Escape');
		await save.waitFor({ state: 'hidden' });
	}

	/** Opens a node from the canvas. */
	async openNode(name) {
		await this.page
			.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`)
			.dblclick({ position: { x: 20, y: 20 } });
		await this.part('node-parameters', this.panel).waitFor();
	}

	async closeNode() {
		await this.page.keyboard.press('Escape');
		await this.panel.waitFor({ state: 'hidden' });
	}

	/** The names that n8n's nodes panel finds for a text. */
	async searchNodes(text) {
		await this.part('node-creator-plus-button').click();
		await this.part('node-creator-search-bar').fill(text);
		const items = this.part('node-creator-item-name');
		await items
			.filter({ hasText: new RegExp(text, 'i') })
			.first()
			.waitFor();
		return await items.allInnerTexts();
	}

	/** The actions that n8n's nodes panel offers for a node after a search. */
	async actionsOf(name) {
		const items = this.part('node-creator-item-name');
		await items
			.filter({ hasText: new RegExp(`^\\s*${name}\\s*$`) })
			.first()
			.click();
		await this.part('node-creator-category-item').first().waitFor();
		await items.first().waitFor();
		return await items.allInnerTexts();
	}

	/** The labels of the open node's parameters, from top to bottom. */
	async labels() {
		const labels = this.part('node-parameters', this.panel).locator('label');
		const texts = await labels.filter({ visible: true }).allInnerTexts();
		return texts.map((text) => text.split('\n')[0].trim());
	}

	/** Waits until the labels that match the pattern are these. */
	async expectLabels(pattern, wanted) {
		let found;
		const isThere = async () => {
			found = (await this.labels()).filter((label) => pattern.test(label));
			return found.join() === wanted.join();
		};
		const describe = `The fields ${wanted.join(', ')}`;
		await waitUntil(isThere, { timeoutMs: timeoutMs, describe }).catch((error) => {
			throw new Error(`${error.message} Seen: ${found.join(', ')}`);
		});
	}

	/** Clicks into a text field and pastes a text. */
	async fill(parameter, text) {
		const field = this.part(`parameter-input-${parameter}`, this.panel);
		const input = field.locator('input, textarea').first();
		await input.click();
		await input.fill(text);
	}

	/**
	 * Chooses another of the stored credentials for the open node.
	 *
	 * @param reloads whether n8n reloads the node's list then, as 2.x does and 1.x does not
	 */
	async chooseCredential(name, { reloads }) {
		await this.part('node-credentials-select', this.panel).click();
		const loaded = reloads
			? this.page.waitForResponse((response) => isListOf('', response))
			: Promise.resolve();
		const items = this.page.locator(
			'.el-select-dropdown__item, [role="option"], [role="menuitem"]',
		);
		const item = items.filter({ visible: true }).filter({
			has: this.page.getByText(name, { exact: true }),
		});
		await item.first().click();
		await item.first().waitFor({ state: 'hidden' });
		await loaded;
	}

	/** How often a mouse button has been pressed since the page was opened. */
	async clicks() {
		return await this.page.evaluate(() => globalThis.clicksSoFar);
	}

	/** Sets a parameter that offers a few options. */
	async choose(parameter, label) {
		await this.part(`parameter-input-${parameter}`, this.panel).click();
		const options = this.part('parameter-input-item').filter({ visible: true });
		await options.filter({ has: this.page.getByText(label, { exact: true }) }).click();
		await options.first().waitFor({ state: 'hidden' });
	}

	/** Opens a searchable list and types a text into it. Returns what it then offers. */
	async searchList(parameter, text) {
		const locator = this.part(`resource-locator-${parameter}`, this.panel);
		await this.part('rlc-input', locator).click();
		await this.part('rlc-item').filter({ visible: true }).first().waitFor();
		const found = this.page.waitForResponse((response) => isListOf(text, response));
		await this.part('rlc-search').filter({ visible: true }).fill(text);
		const { data } = await (await found).json();
		const names = data.results.map(({ name }) => name);
		const items = this.part('rlc-item').filter({ visible: true });
		// n8n puts the chosen entry first, whether it matches or not.
		const isDrawn = async () => [0, 1].includes((await shownIn(items)).indexOf(names[0]));
		const describe = `The list that starts with ${names[0]}`;
		await waitUntil(isDrawn, { timeoutMs: timeoutMs, describe });
		return (await shownIn(items)).filter((name) => names.includes(name));
	}

	/** Picks from the list that `searchList` has opened. */
	async pick(parameter, name) {
		const items = this.part('rlc-item').filter({ visible: true });
		await items.filter({ has: this.page.getByText(name, { exact: true }) }).click();
		const describe = `"${name}" in the field ${parameter}`;
		const isSet = async () => (await this.valueOf(parameter)) === name;
		await waitUntil(isSet, { timeoutMs: timeoutMs, describe });
	}

	/** Enters a name where you could also choose from a list. */
	async enterByName(parameter, name) {
		const locator = this.part(`resource-locator-${parameter}`, this.panel);
		await this.part('rlc-mode-selector', locator).click();
		const mode = this.page.locator('[data-test-id="mode-name"], .el-select-dropdown__item');
		await mode
			.filter({ visible: true })
			.filter({ has: this.page.getByText('By Name', { exact: true }) })
			.first()
			.click();
		const input = this.part('rlc-input', locator);
		await input.locator('input').or(input).first().fill(name);
	}

	/** What a field with a list shows as chosen. */
	async valueOf(parameter) {
		const locator = this.part(`resource-locator-${parameter}`, this.panel);
		return await this.part('rlc-input', locator).inputValue();
	}

	/** The open node's "Execute step" or "Fetch Test Event", to the end of the execution. */
	async execute() {
		const started = this.page.waitForResponse(isRun);
		await this.part('node-execute-button', this.panel).click();
		await started;
		const succeeded = this.part('node-run-status-success', this.output);
		const failed = this.part('node-run-status-danger', this.output).or(
			this.output.locator('[data-test-id="node-error-view"], [data-test-id="node-error-card"]'),
		);
		await succeeded.or(failed).first().waitFor({ timeout: executionTimeoutMs });
		if (await succeeded.isVisible()) return;
		throw new Error(`The node shows: ${await this.output.innerText()}`);
	}

	/** Runs the whole workflow from the canvas, until this many nodes show that they have succeeded. */
	async executeWorkflow(nodes) {
		await this.part('execute-workflow-button').click();
		const succeeded = this.part('canvas-node-status-success');
		const describe = `Success of ${nodes} nodes on the canvas`;
		const isDone = async () => (await succeeded.count()) >= nodes;
		await waitUntil(isDone, { timeoutMs: executionTimeoutMs, describe });
	}

	/** Opens the credential of the open node, which tests it, and waits until the test was good. */
	async openCredential() {
		await this.part('credential-edit-button', this.panel).click();
		await this.part('credentials-config-container-test-success').waitFor();
	}

	/** Shows the output in one of n8n's views: `schema`, `table`, `json` or `binary`. Returns its text. */
	async show(mode, panel = this.output) {
		await this.part(`radio-button-${mode}`, panel).click();
		const data = this.part('ndv-data-container', panel);
		// n8n loads some views only now.
		const describe = `The ${mode} view of the data`;
		const text = async () => (await data.innerText()).trim();
		return await waitUntil(text, { timeoutMs: timeoutMs, describe });
	}

	/** Opens the output's first file, a video, and waits until its pictures can be seen. */
	async viewVideo() {
		const view = this.part('ndv-view-binary-data', this.output).first();
		// After a run, n8n shows the files of the output by itself.
		await view.waitFor({ timeout: 5_000 }).catch(async () => await this.show('binary'));
		await view.click();
		const video = this.output.locator('video');
		await video.waitFor();
		const isLoaded = async () => await video.evaluate((element) => element.readyState >= 2);
		await waitUntil(isLoaded, { timeoutMs: timeoutMs, describe: 'The video in the output panel' });
		return await video.evaluate(({ duration, videoWidth, videoHeight }) => ({
			duration,
			videoWidth,
			videoHeight,
		}));
	}

	/** The messages that n8n shows at the edge of the screen. */
	async messages() {
		return await this.page.locator('.el-notification:visible').allInnerTexts();
	}

	/** A picture of the screen as is, without passing messages and mouse highlights. */
	async picture() {
		await this.page.mouse.move(0, 0);
		const messages = this.page.locator('.el-notification:visible');
		const close = messages.locator('.el-notification__closeBtn');
		// A message may disappear by itself just as it is being closed.
		while ((await close.count()) > 0) {
			await close
				.first()
				.click({ timeout: 1_000 })
				.catch(() => {});
		}
		return await this.page.screenshot({ animations: 'disabled', caret: 'hide', style: tidy });
	}

	/** Does something with a screen of this height, in pixels. */
	async inHeight(height, work) {
		await this.page.setViewportSize({ ...viewport, height });
		try {
			return await work();
		} finally {
			await this.page.setViewportSize(viewport);
		}
	}

	/** Changes a text wherever the screen shows it, only for a picture; n8n's own data stays unchanged. */
	async replaceText(pattern, replacement) {
		await this.page.evaluate(
			([source, text]) => {
				const { document, NodeFilter, RegExp } = globalThis;
				const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
				while (nodes.nextNode()) {
					const { currentNode } = nodes;
					currentNode.data = currentNode.data.replaceAll(new RegExp(source, 'g'), text);
				}
			},
			[pattern, replacement],
		);
		const left = await this.page.evaluate(() => globalThis.document.body.innerText);
		if (new RegExp(pattern).test(left)) throw new Error(`${pattern} still shows on the screen.`);
	}

	/** Writes a picture of the screen. */
	async screenshot(file) {
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, await this.picture());
	}

	async close() {
		await this.browser.close();
	}
}

/** Opens the editor of a running n8n in a new headless browser, signed in as its owner. */
export async function openEditor(url) {
	const browser = await launchChromium();
	try {
		const context = await browser.newContext({
			viewport: viewport,
			colorScheme: 'light',
			locale: 'en-GB',
			timezoneId: 'UTC',
		});
		context.setDefaultTimeout(timeoutMs);
		await context.addInitScript((preferences) => {
			const { localStorage } = globalThis;
			for (const [key, value] of Object.entries(preferences)) {
				if (localStorage.getItem(key) === null) localStorage.setItem(key, value);
			}
			globalThis.clicksSoFar = 0;
			globalThis.addEventListener('pointerdown', () => globalThis.clicksSoFar++, true);
		}, preferences);
		const editor = new Editor(url, browser, await context.newPage());
		await editor.signIn();
		return editor;
	} catch (error) {
		await browser.close();
		throw error;
	}
}
