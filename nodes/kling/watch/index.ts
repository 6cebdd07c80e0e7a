export { watchAccount } from './account';
export { readTaskIds, watchIds } from './ids';
export { latestOfAccount, latestOfIds } from './latest';
export type { WatchTerms } from './ledger';
export { Budget, type PollResult, type PollTime } from './source';
export {
	mostOpen as mostTaskIds,
	readState,
	scopeOf,
	taskEvents,
	type TaskEvent,
	type WatchState,
} from './state';
