import { signedToken } from '../signatures';
import {
	failureOfKling,
	klingOptions,
	klingPage,
	klingRecord,
	klingRequests,
} from './klingEnvelope';
import type { Provider } from './provider';
import { read } from './toolkit';

const path = '/v1/videos/effects';

const advice = Object.entries({
	1001: 'Enter the key in the credential.',
	1002: 'Check the key in the credential, and try the other Region: a key from the China console works only with China, any other only with Global.',
	1003: "The clock of the machine that runs n8n seems to be ahead of Kling AI's. Set it to the correct time.",
	1004: "The clock of the machine that runs n8n seems to be behind Kling AI's. Set it to the correct time.",
	1100: 'Check the account in the Kling AI console, or ask Kling AI support.',
	1101: 'The account is in arrears. Top it up in the Kling AI console, then run this again.',
	1102: 'The resource pack is used up or has run out. Buy a new one in the Kling AI console, then run this again.',
	1103: 'This account may not use video effects. Ask for access in the Kling AI console.',
	1304: "The address of this n8n is not on the account's IP allow-list. Add it in the Kling AI console.",
});

/** Kling AI itself (Kling's effects page; docs/providers.md section 1). */
export const kling: Provider = {
	name: 'kling',
	displayName: 'Kling AI',
	keysPage: {
		name: 'API Keys in the Kling AI developer console',
		url: 'https://kling.ai/dev/api-key',
	},
	defaultBaseUrl: ({ region }) =>
		region === 'china' ? 'https://api-beijing.klingai.com' : 'https://api-singapore.klingai.com',
	isKling: true,
	regional: true,
	signs: true,
	authorize: (secret, now) => ({
		Authorization: `Bearer ${secret.kind === 'key' ? secret.key : signedToken(secret.accessKey, secret.secretKey, now)}`,
	}),
	externalId: 'lookup',
	takes: klingOptions,
	idKeys: ['task_id'],
	retention: '30 days',
	// Free, and part of the same API family that the nodes use (docs/providers.md 1.10).
	check: {
		path,
		query: { pageNum: 1, pageSize: 1 },
		refusals: [
			{ key: 'code', value: 1000 },
			...advice.map(([code, text]) => ({
				key: 'code',
				value: Number(code),
				message: `Kling AI did not accept the key (code ${code}). ${text}`,
			})),
		],
	},
	advice: new Map(advice),

	...klingRequests(path),
	list: {
		// Kling's effects page: pageSize 1 to 500, pageNum 1 to 1000.
		largestPage: 500,
		lastPage: 1000,
		request: (pageNum, pageSize) => read(path, { pageNum, pageSize }),
		read: (response) => klingPage('kling', response),
	},

	// The token's time is off, which a new signature can fix (docs/providers.md 1.2).
	isStaleSignature: ({ code }) => code === '1003' || code === '1004',
	readFailure: failureOfKling,
	readTask: ({ json }) => klingRecord('kling', json.data),
};
