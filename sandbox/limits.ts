/** Counts requests per account over the last second of the sandbox's clock. */
export class RateLimiter {
	readonly #recent = new Map<string, number[]>();

	constructor(private readonly now: () => number) {}

	/**
	 * Whether one more request fits. Refused requests do not count; how providers count is not
	 * documented.
	 */
	admits(account: string, perSecond: number): boolean {
		const now = this.now();
		const recent = (this.#recent.get(account) ?? []).filter((at) => at > now - 1000);
		const fits = recent.length < perSecond;
		if (fits) recent.push(now);
		this.#recent.set(account, recent);
		return fits;
	}

	clear(): void {
		this.#recent.clear();
	}
}
