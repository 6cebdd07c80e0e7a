import { providers, type Provider } from './index';
import type { OrderOption } from './provider';

/** Phrases about which provider supports what, taken from the adapters. */

const hasList = ({ list }: Provider) => list !== undefined;

function namesOf(wanted: (provider: Provider) => boolean, conjunction: string): string {
	const names = providers.filter(wanted).map(({ displayName }) => displayName);
	const last = names.pop() ?? '';
	return names.length === 0 ? last : `${names.join(', ')} ${conjunction} ${last}`;
}

/** `Kling AI only`; empty if all can. */
export function onlyWith(can: (provider: Provider) => boolean): string {
	return providers.every(can) ? '' : `${namesOf(can, 'and')} only`;
}

/** `Not with Modellix`; empty if all can. */
export function notWith(can: (provider: Provider) => boolean): string {
	return providers.every(can) ? '' : `Not with ${namesOf((one) => !can(one), 'or')}`;
}

/** The description of an option of Create, with the providers that do not support it. */
export function withSupport(description: string, option: OrderOption): string {
	const limit = notWith(({ takes }) => takes.includes(option));
	return limit === '' ? description : `${description.replace(/\.$/, '')}. ${limit}.`;
}

export const onlyWithList = onlyWith(hasList);

/** A display name, with the providers that have a list. */
export function titleWithList(title: string): string {
	return onlyWithList === '' ? title : `${title} (${onlyWithList.replace(/only$/, 'Only')})`;
}

/** The description of a choice that needs no list, next to one that does. */
export function withoutList(description: string): string {
	return onlyWithList === '' ? description : `${description}. Works with every provider.`;
}

/** A description, with the providers that have a list. */
export function withList(description: string): string {
	return onlyWithList === '' ? description : `${description} ${onlyWithList}.`;
}

/** Who has a list, for users whose provider has none. */
export const whoLists = `Only ${namesOf(hasList, 'and')} lists tasks.`;
