import { providers, type Provider } from './index';
import type { OrderOption } from './provider';

/** Phrases about who can do what, from what the providers say about themselves. */

const hasList = ({ list }: Provider) => list !== undefined;

function namesOf(wanted: (provider: Provider) => boolean, conjunction: string): string {
	const names = providers.filter(wanted).map(({ displayName }) => displayName);
	const last = names.pop() ?? '';
	return names.length === 0 ? last : `${names.join(', ')} ${conjunction} ${last}`;
}

/** `Kling AI only`; `Every provider` where all can. */
export function onlyWith(can: (provider: Provider) => boolean): string {
	return providers.every(can) ? 'Every provider' : `${namesOf(can, 'and')} only`;
}

/** `Not with Modellix`; nothing where all can. */
export function notWith(can: (provider: Provider) => boolean): string {
	return providers.every(can) ? '' : `Not with ${namesOf((one) => !can(one), 'or')}`;
}

/** A description of an option of Create, with the providers that do not take it. */
export function withSupport(description: string, option: OrderOption): string {
	const limit = notWith(({ takes }) => takes.includes(option));
	return limit === '' ? description : `${description.replace(/\.$/, '')}. ${limit}.`;
}

export const onlyWithList = onlyWith(hasList);
/** Who has a list, for those who meet that theirs has none. */
export const whoLists = `Only ${namesOf(hasList, 'and')} lists tasks.`;
