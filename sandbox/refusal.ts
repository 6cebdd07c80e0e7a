import { say, type ProviderText } from './texts';

/**
 * A request that a provider refuses, in the terms of Kling's error table (docs/providers.md section 1.7).
 * Each provider turns it into its own envelope.
 */
export class Refusal extends Error {
	constructor(
		/** Kling's code, 1000 to 5002. */
		readonly code: number,
		/** The text the client gets; the provider's usual one for the code if absent. */
		readonly detail?: string,
	) {
		super(detail ?? `Refused with ${code}`);
	}

	/** The refusal of a table of texts, with what its text repeats of the request. */
	static saying(said: ProviderText, repeated?: string): Refusal {
		return new Refusal(Number(said.code), say(said, repeated));
	}
}
