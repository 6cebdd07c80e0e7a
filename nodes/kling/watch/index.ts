export { watchAccount } from './account';
export { readTaskIds, watchIds } from './ids';
export { latestOfAccount, latestOfIds } from './latest';
export type { WatchTerms } from './ledger';
export { Budget, type PollTime, type Round } from './source';
export { readState, scopeOf, taskEvents, type TaskEvent, type WatchState } from './state';
