import { SsrfProtectionConfig } from '@n8n/config';
import { Container } from '@n8n/di';
import { rows, type ProviderRow } from '../contract/providers';
import { single, Workbench } from '../../harness/workbench';
import { ActiveTrigger, errorOf } from '../../harness/activeTrigger';

/**
 * n8n 2.40's own protection against requests into its network (N8N_SSRF_PROTECTION_ENABLED), switched on
 * in the real n8n-core. What it blocks was never sent: a create is definitely refused.
 */

const bench = Workbench.prepare();
const protection = Container.get(SsrfProtectionConfig);
beforeAll(() => {
	// n8n reads both lists when it makes its first request.
	Object.assign(protection, {
		allowedHostnames: ['localhost'],
		blockedHostnames: ['blocked.localhost'],
	});
});
beforeEach(() => {
	protection.enabled = true;
});
afterEach(() => {
	protection.enabled = false;
});

function credentialAt(row: ProviderRow, host: string) {
	const credential = bench.credential(row);
	return { ...credential, baseUrl: String(credential.baseUrl).replace('127.0.0.1', host) };
}

describe.each(rows)('$displayName', (row) => {
	test.each([
		['the address of a private network', '127.0.0.1'],
		['a host that the administrator blocks', 'blocked.localhost'],
	])('Create at %s: nothing is sent, and that is certain', async (_name, host) => {
		const credential = credentialAt(row, host);
		const blocked = await bench.create(row, {}, { credential });
		expect(blocked.error?.message).toBe(`${row.displayName} could not be reached`);
		expect(blocked.error?.description).not.toMatch(/unknown|may have/i);
		const again = await bench.create(row, {}, { credential, retryOf: blocked });
		expect(again.error?.message).toBe(blocked.error?.message);
		expect(bench.sandbox.requests).toEqual([]);

		protection.enabled = false;
		const allowed = await bench.create(row, {}, { retryOf: again });
		expect(allowed.json).toHaveLength(1);
		expect(bench.requests('create')).toHaveLength(1);
		expect(bench.sandbox.charges).toHaveLength(1);
	});

	test('with “Continue” each item says so, and nothing is sent', async () => {
		const { json } = await bench.create(
			row,
			{},
			{ items: [{ json: {} }, { json: {} }], settings: { onError: 'continueRegularOutput' } },
		);
		expect(json[0].error).toBe(`${row.displayName} could not be reached`);
		expect(json[1].error).toMatch(/could not be reached$/);
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('a video at a blocked address is reported at once, with its task and link', async () => {
		const parameters = { waitForCompletion: true, downloadVideo: true };
		const { error } = await bench.create(
			row,
			{ ...single, ...parameters },
			{ credential: credentialAt(row, 'localhost') },
		);
		expect(error?.message).toBe('n8n blocks requests to the address of the video');
		const [{ taskId }] = bench.sandbox.charges;
		expect(error?.description).toContain(`(task ${taskId})`);
		expect(error?.description).toContain('N8N_SSRF_ALLOWED_HOSTNAMES');
		expect(bench.requests('download')).toEqual([]);
		expect(bench.sandbox.charges).toHaveLength(1);
	});
});

test('the trigger says that the provider cannot be reached', async () => {
	const trigger = new ActiveTrigger({ credential: bench.sandbox.credential('kling') });
	const { message } = await errorOf(trigger.poll());
	expect(message).toMatch(/^Kling AI could not be reached/);
	expect(bench.sandbox.requests).toEqual([]);
});
