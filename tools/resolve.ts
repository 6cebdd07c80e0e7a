import * as module from 'node:module';

interface Resolver {
	_resolveFilename(
		request: string,
		parent: { filename?: string | null } | undefined,
		...rest: unknown[]
	): string;
}

/** Changes what `require` of a file resolves to, before it is looked up. */
export function changeRequests(change: (request: string, parentFile: string) => string): void {
	const resolver = ((module as { default?: unknown }).default ?? module) as Resolver;
	const resolve = resolver._resolveFilename.bind(resolver);
	resolver._resolveFilename = (request, parent, ...rest) =>
		resolve(change(request, parent?.filename ?? ''), parent, ...rest);
}

/** tsx would mistake the codex file, X.node.json, for X.node. */
export function withNodeSource(request: string): string {
	return /^\..*\.node$/.test(request) ? `${request}.ts` : request;
}
