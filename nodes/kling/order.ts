/** What a Create asks for besides its images, the same for every provider; absent options are not sent. */
export interface OrderTerms {
	effectScene: string;
	/** Seconds. */
	duration?: number;
	mode?: string;
	modelName?: string;
	callbackUrl?: string;
	externalTaskId?: string;
}

/** A complete order, ready to send. */
export interface EffectOrder extends OrderTerms {
	/**
	 * One image for a single effect, two (left, right) for a dual one. Each is an http(s) URL or bare
	 * base64, checked already.
	 */
	images: string[];
}

/** The options of an order that only some providers take, with their names on screen. */
export const optionNames = {
	callbackUrl: 'Callback URL',
	duration: 'Duration',
	externalTaskId: 'External Task ID',
	mode: 'Mode',
	modelName: 'Model Name',
} as const;
export type OrderOption = keyof typeof optionNames;
