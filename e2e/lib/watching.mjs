import { ownSandbox, storeCredential } from '../fixture.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { assertSucceeded, itemsOf } from '../../tools/rest.mjs';
import { klingTrigger, node, workflow } from '../../tools/workflow.mjs';

/** Tasks end when a test says so. */
const neverByItself = 100_000;
/** n8n polls each minute, at a second that it chooses. */
const pollMs = 90_000;
export const minute = 60_000;

/** What tests of the trigger do in one n8n: accounts, workflows that watch them, and what those emit. */
export function watching(rest) {
	/** A provider with a past. */
	async function account(provider, prepare = () => {}, options = {}) {
		const sandbox = await ownSandbox({ taskSeconds: neverByItself, ...options });
		prepare(sandbox);
		const credential = await storeCredential(rest, sandbox, provider);
		return { provider, sandbox, credential };
	}

	/** Running tasks, each this many minutes old. */
	function running(now, ages) {
		return ages.map((age) => ({ status: 'processing', createdAt: now - age * minute }));
	}

	const idsOf = ({ sandbox }) => sandbox.tasks.map(({ taskId }) => taskId);

	async function store({ credential }, parameters) {
		const nodes = [
			klingTrigger('Ended', credential, parameters),
			node('After', 'n8n-nodes-base.noOp'),
		];
		return await rest.createWorkflow(workflow('trigger', nodes, [['Ended', 'After']]));
	}

	/** Stores and activates a workflow for an account, and waits until its first poll is over. */
	async function watch(watched, parameters) {
		const { id } = await store(watched, parameters);
		watched.id = id;
		await rest.activate(id);
		await firstPoll(watched);
	}

	/** n8n saves what a trigger remembers once after the activation. */
	async function firstPoll({ id }) {
		await reached(async () => (await rest.workflow(id)).staticData, 'the first poll');
	}

	const looks = ({ sandbox }) =>
		sandbox.requests.filter(({ operation, status }) => isLook(operation) && status !== 0).length;
	const isList = ({ operation }) => operation === 'list';
	const isLook = (operation) => operation === 'list' || operation === 'get';

	/** The executions that the trigger has started, oldest first. */
	async function started({ id }) {
		const executions = await rest.executions(id);
		return executions.filter(({ mode }) => mode === 'trigger').reverse();
	}

	/** Waits until the trigger has started this many executions, oldest first. */
	async function emits(watched, count) {
		await reached(async () => {
			const ended = (await started(watched)).filter(({ stoppedAt }) => stoppedAt);
			return ended.length >= count;
		}, `${count} executions`);
		const executions = await started(watched);
		return await Promise.all(executions.map(async ({ id }) => await rest.execution(id)));
	}

	const emitted = (execution) =>
		itemsOf(assertSucceeded(execution), 'After').map(({ json }) => json.taskId);

	/** Ends tasks, one after the other on the provider's clock, before a poll can come in between. */
	function finish({ sandbox }, ends) {
		for (const [taskId, status = 'succeed', reason] of ends) {
			sandbox.finish(taskId, status, reason);
			const end = Date.now();
			while (Date.now() === end);
		}
	}

	async function nextPoll(watched) {
		const before = looks(watched);
		await reached(() => looks(watched) > before, 'the next poll');
	}

	return {
		account,
		emitted,
		emits,
		finish,
		firstPoll,
		idsOf,
		isList,
		looks,
		nextPoll,
		running,
		started,
		store,
		watch,
	};
}

/** Waits until a condition is true, and returns what made it so. */
export async function reached(check, describe) {
	return await waitUntil(check, { timeoutMs: pollMs, intervalMs: 100, describe });
}
