import { bearerToken, keyNameOf, type Caller } from '../keys';
import { Refusal } from '../refusal';
import type { SandboxKeys } from '../types';
import type { Call } from './provider';

/** Authentication of a gateway: a bearer key, nothing else. */
export function authenticateWith(keys: SandboxKeys): (call: Call) => Caller {
	return (call) => {
		const header = call.headers.authorization;
		if (!header?.trim()) throw new Refusal(1001);
		const keyName = keyNameOf(keys, bearerToken(header) ?? '');
		if (!keyName) throw new Refusal(1002);
		return { keyName, region: call.region };
	};
}
