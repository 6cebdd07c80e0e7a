import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/** Measures something in a fresh process: a file of `children/`, which sends one message. */
export async function inChild<T>(name: string, ...words: string[]): Promise<T> {
	return await messageOf<T>(fork(fileOf(`${name}.ts`), words));
}

/** The same for a JavaScript file, without the TypeScript loader. */
export async function inPlainChild<T>(file: string, ...words: string[]): Promise<T> {
	return await messageOf<T>(fork(fileOf(file), words, { execArgv: ['--expose-gc'] }));
}

function fileOf(name: string): string {
	return join(__dirname, '..', 'children', name);
}

async function messageOf<T>(child: ChildProcess): Promise<T> {
	return await new Promise<T>((resolve, reject) => {
		child.once('message', (message) => resolve(message as T));
		child.once('exit', (code) => reject(new Error(`A measurement ended with ${code}`)));
	});
}

/** Reports from within such a process, and ends it. */
export function report(work: () => Promise<unknown>): void {
	work()
		.then((result) => process.send!(result, undefined, undefined, () => process.exit()))
		.catch((error: unknown) => {
			console.error(error);
			process.exit(1);
		});
}

/** What is on the heap after garbage collection. */
export async function heapBytes(): Promise<number> {
	for (let round = 0; round < 3; round++) {
		globalThis.gc!();
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	return process.memoryUsage().heapUsed;
}
