import type { IBinaryData, IExecuteFunctions, IWebhookFunctions } from 'n8n-workflow';

/** Bytes of a file in n8n's binary store, without reading it. */
export async function fileSizeOf(
	{ helpers }: IExecuteFunctions | IWebhookFunctions,
	file: IBinaryData,
): Promise<number> {
	// Without an id the file is in memory, as base64.
	if (!file.id) return Buffer.byteLength(file.data, 'base64');
	return (await helpers.getBinaryMetadata(file.id)).fileSize;
}
