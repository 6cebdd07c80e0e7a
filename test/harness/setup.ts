import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox';
import {
	closeProcessedData,
	forgetProcessedData,
	openProcessedData,
} from '../../tools/sleepingN8n';
import { useInstantClock } from './clock';

/** What a test file, or a describe, sets up before its tests and takes down after them. */

export function withSandbox(take: (sandbox: Sandbox) => void, options: SandboxOptions = {}): void {
	let sandbox: Sandbox;
	beforeAll(async () => take((sandbox = await startSandbox(options))));
	afterAll(async () => await sandbox.close());
}

/** An instant clock for each test; the sandbox keeps the same time, if one is given. */
export function withInstantClock(sandbox?: () => Sandbox): ReturnType<typeof useInstantClock> {
	const time = {} as ReturnType<typeof useInstantClock>;
	beforeEach(() => void Object.assign(time, useInstantClock(sandbox?.())));
	afterEach(() => time.restore());
	return time;
}

/** n8n's table of processed data, empty at the start of each test. */
export function withProcessedData(): void {
	beforeAll(openProcessedData);
	beforeEach(forgetProcessedData);
	afterAll(closeProcessedData);
}
