// node n8nParts.cjs FOLDER: what of the n8n in this folder is where nodes/ and tools/sleepingN8n.ts expect
// it, as JSON. A process of its own, on the Node.js that this n8n needs. Nothing of n8n is started.
const { createRequire } = require('node:module');

const ofN8n = createRequire(require.resolve('n8n/package.json', { paths: [process.argv[2]] }));
ofN8n('reflect-metadata');
const core = ofN8n('n8n-core');
const { NodeHelpers, Workflow } = ofN8n('n8n-workflow');

const node = {
	id: '1',
	name: 'Kling',
	type: 'k',
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
};
const type = { description: { properties: [] } };
const nodeTypes = { getByName: () => type, getByNameAndVersion: () => type };
const workflow = new Workflow({
	id: 'w',
	nodes: [node],
	connections: {},
	active: false,
	nodeTypes,
});
const entry = { node, data: { main: [[]] }, source: null };
const data = {
	startData: {},
	resultData: { runData: {} },
	executionData: {
		contextData: {},
		nodeExecutionStack: [entry],
		metadata: {},
		waitingExecution: {},
	},
};

const executing = () =>
	new core.ExecuteContext(workflow, node, {}, 'trigger', data, 0, [], entry.data, entry, []);
const called = () =>
	new core.WebhookContext(workflow, node, {}, 'trigger', { webhookDescription: {} }, [], data);

/** Answers every call and every member with itself. */
const anything = new Proxy(() => {}, {
	get: (_, name) => (name === 'then' ? undefined : anything),
	apply: () => anything,
});

/** What n8n's tracker does with an execution whose time is over. */
async function wake(changes = {}) {
	const { WaitTracker } = ofN8n('./dist/wait-tracker.js');
	const stored = { mode: 'trigger', data, workflowData: { id: 'w' }, finished: false, ...changes };
	const findSingleExecution = async () => stored;
	const getWaitingExecutions = async () => [{ id: '7', waitTill: new Date() }];
	const runs = [];
	const tracker = Object.assign(Object.create(WaitTracker.prototype), {
		waitingExecutions: {},
		logger: anything,
		executionRepository: { getWaitingExecutions, findSingleExecution },
		executionPersistence: { findSingleExecution },
		ownershipService: { getWorkflowProjectCached: async () => ({ id: 'p' }) },
		activeExecutions: { getPostExecutePromise: async () => undefined },
		workflowRunner: { run: async (...given) => runs.push(given) },
	});
	const started = new Promise((resolve) => {
		const start = tracker.startExecution.bind(tracker);
		tracker.startExecution = (id) => {
			const starting = start(id);
			resolve(starting.catch(() => {}));
			return starting;
		};
	});
	process.on('unhandledRejection', () => {});
	await tracker.getWaitingExecutions();
	await started;
	return runs;
}

/** A part that throws is not where it was. */
async function holds(check) {
	try {
		return (await check()) === true;
	} catch {
		return false;
	}
}

const checks = {
	executeData: () => executing().executeData === entry,
	runExecutionData: () => executing().runExecutionData === data,
	storedContext: () => {
		const stored = NodeHelpers.getContext(data, 'node', node);
		return executing().getContext('node') === stored;
	},
	executeDataOfWebhook: () => called().executeData.node === node,
	runExecutionDataOfWebhook: () => called().runExecutionData === data,
	wakesWithWhatIsStored: async () => {
		const [[run, , , execution], ...more] = await wake();
		const id = execution.executionId ?? execution;
		return more.length === 0 && run.executionData === data && id === '7';
	},
	leavesWhatSucceeded: async () => (await wake({ finished: true })).length === 0,
};

(async () => {
	const results = {};
	for (const [name, check] of Object.entries(checks)) results[name] = await holds(check);
	process.stdout.write(JSON.stringify(results));
	process.exit(0);
})();
