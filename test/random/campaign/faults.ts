import type { Fault, Sandbox, SandboxProvider } from '../../../sandbox';

type Kind = Omit<Fault, 'match' | 'probability' | 'random'>;

/** What can go wrong with a create, on the wire or at the provider. */
const createFaults: Kind[] = [
	{ kind: 'resetBefore' },
	{ kind: 'resetAfter' },
	{ kind: 'resetAfter', delayMs: 3 },
	{ kind: 'hang' },
	{ kind: 'hang', accept: true, delayMs: 2 },
	{ kind: 'delay', delayMs: 8 },
	{ kind: 'code', code: 1302 },
	{ kind: 'code', code: 1302, headers: { 'retry-after': '2' } },
	{ kind: 'code', code: 1303 },
	{ kind: 'status', status: 429, body: { message: 'slow down' } },
	{ kind: 'status', status: 500, body: { message: 'Internal error' } },
	{ kind: 'status', status: 500, body: { message: 'Internal error' }, accept: true },
	{ kind: 'code', code: 5000, accept: true },
	{ kind: 'code', code: 5001 },
	{ kind: 'code', code: 5002, accept: true },
	{ kind: 'html', status: 502 },
	{ kind: 'html', status: 504, accept: true },
	{ kind: 'html', status: 200, accept: true },
	{ kind: 'status', status: 408, body: '', accept: true },
	{ kind: 'empty', accept: true },
	{ kind: 'empty' },
	{ kind: 'malformedJson', accept: true },
	{ kind: 'malformedJson' },
	{ kind: 'unknownShape', accept: true },
	{ kind: 'unknownShape' },
	{ kind: 'truncated', accept: true },
];

/** What can go wrong with a read. */
const readFaults: Kind[] = [
	{ kind: 'resetBefore' },
	{ kind: 'hang' },
	{ kind: 'code', code: 1302 },
	{ kind: 'status', status: 500, body: '' },
	{ kind: 'html', status: 502 },
	{ kind: 'html', status: 404 },
	{ kind: 'empty' },
	{ kind: 'malformedJson' },
	{ kind: 'unknownShape' },
];

/**
 * Sets faults at random; `share` of the creates and of the reads meet one.
 *
 * @returns how many have been met so far
 */
export function setFaults(
	sandbox: Sandbox,
	provider: SandboxProvider,
	random: () => number,
	share: { creates: number; reads: number },
): () => number {
	let met = 0;
	const add = (method: string, kinds: Kind[], total: number) => {
		for (const [index, kind] of kinds.entries()) {
			// Each is tried after the previous ones, so its chance applies to what those let through.
			const one = total / kinds.length;
			const probability = one / (1 - index * one);
			const chance = () => {
				const value = random();
				if (value < probability) met++;
				return value;
			};
			sandbox.addFault({ ...kind, match: { provider, method }, probability, random: chance });
		}
	};
	add('POST', createFaults, share.creates);
	add('GET', readFaults, share.reads);
	return () => met;
}
