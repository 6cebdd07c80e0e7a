import type { Fault, RequestRecord } from './types';

interface ActiveFault {
	fault: Fault;
	path?: RegExp;
	passed: number;
	fired: number;
}

/** The faults that wait for requests. */
export class Faults {
	#active: ActiveFault[] = [];

	/** Adds a fault; the function returned takes it away again. */
	add(fault: Fault): () => void {
		const path = fault.match?.path;
		const active: ActiveFault = {
			fault,
			path: typeof path === 'string' ? new RegExp(path) : path,
			passed: 0,
			fired: 0,
		};
		this.#active.push(active);
		return () => {
			this.#active = this.#active.filter((other) => other !== active);
		};
	}

	clear(): void {
		this.#active = [];
	}

	/** The first fault that fires for this request; it counts as fired. */
	take(request: RequestRecord): Fault | undefined {
		return this.#active.find((active) => fires(active, request))?.fault;
	}
}

function fires(active: ActiveFault, request: RequestRecord): boolean {
	const { fault } = active;
	if (!matches(active, request)) return false;
	if (active.fired >= (fault.times ?? Infinity)) return false;
	if (active.passed < (fault.skip ?? 0)) {
		active.passed += 1;
		return false;
	}
	if (fault.probability !== undefined) {
		if ((fault.random ?? Math.random)() >= fault.probability) return false;
	}
	active.fired += 1;
	return true;
}

function matches({ fault, path }: ActiveFault, request: RequestRecord): boolean {
	const { provider, method, operation } = fault.match ?? {};
	if (provider !== undefined && provider !== request.provider) return false;
	if (method !== undefined && method.toUpperCase() !== request.method) return false;
	if (operation !== undefined && operation !== request.operation) return false;
	if (path) path.lastIndex = 0;
	return path?.test(request.path) ?? true;
}
