/**
 * What to do about reasons for which tasks fail. They come from Kling, and gateways pass them on, some
 * with words of their own before a colon.
 * What a text only quotes is no reason.
 */
const reasons: ReadonlyArray<[reason: RegExp, advice: string]> = [
	// docs/providers.md K23
	[
		/(^|[:\]] *)(?:parallel task over resource pack limit)\b/i,
		'All slots were in use: run the workflow again when a task has finished.',
	],
	// docs/providers.md K14 and K15
	[
		/(^|[:\]] *)(?:image pixel is invalid|the resolution or aspect ratio of the input image)\b/i,
		'Use an image of at least 300 pixels a side, with a ratio of 1:2.5 to 2.5:1, and run the workflow again.',
	],
	// docs/providers.md K31
	[
		/(^|[:\]] *)(?:(failed to|cannot|could not|unable to) (download|fetch|load) (the )?(input )?image)\b/i,
		'Use a direct link to the image that opens without signing in, or send the file itself with Image Input set to Binary File, and run the workflow again.',
	],
	// docs/providers.md K15 and A4
	[
		/(^|[:\]] *)(?:failure to pass the risk control|content policy|content_moderation)\b/i,
		'Use another image: this one did not pass the content check.',
	],
	// docs/providers.md A4
	[
		/(^|[:\]] *)(?:upstream_busy|timeout)\b/i,
		'The provider was busy: run the workflow again later, with the same image.',
	],
];

/** What to do about the reason for which a task failed, where it is known. */
export function adviceOnReason(reason: string): string | null {
	return reasons.find(([pattern]) => pattern.test(reason))?.[1] ?? null;
}
