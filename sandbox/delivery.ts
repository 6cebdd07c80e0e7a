import type { ServerResponse } from 'node:http';

import type { Fault, RequestRecord } from './types';
import { answer, cut, htmlAnswer, pause, send, textOf, type Answer } from './wire';

/** A request on its way to an answer. */
export interface Delivery {
	response: ServerResponse;
	record: RequestRecord;
	fault?: Fault;
	/** Added to every answer. */
	latencyMs: number;
	/** Does what was asked, at most once. */
	process(): Promise<Answer>;
	/** The provider's envelope for a Kling code. */
	refuse(code: number, message?: string): Answer;
}

/** Processes and answers a request, with the fault that hit it. */
export async function deliver(delivery: Delivery): Promise<void> {
	const { fault, latencyMs } = delivery;
	if (fault) return await deliverWithFault(delivery, fault);
	const message = await delivery.process();
	await pause(latencyMs);
	reply(delivery, message);
}

async function deliverWithFault(delivery: Delivery, fault: Fault): Promise<void> {
	const { response, process, latencyMs } = delivery;
	const delay = async () => await pause(fault.delayMs ?? 0);
	if (fault.kind === 'resetBefore') {
		await delay();
		return cut(response);
	}
	if (fault.kind === 'hang') {
		await delay();
		if (fault.accept) await process();
		return;
	}
	const processed = isProcessed(delivery, fault) ? await process() : undefined;
	await delay();
	await pause(latencyMs);
	if (fault.kind === 'resetAfter') return cut(response);
	const message = replacement(delivery, fault, processed);
	reply(delivery, message, fault.kind === 'truncated' ? 0.5 : undefined);
}

/** Reading changes nothing, so only other requests need to say whether they are processed. */
function isProcessed({ record }: Delivery, { kind, accept }: Fault): boolean {
	if (kind === 'resetAfter' || kind === 'delay' || kind === 'slow') return true;
	return accept ?? record.method === 'GET';
}

const unprocessed = answer(200, { code: 0, message: 'SUCCEED', data: { task_id: '8765432109' } });

function replacement(delivery: Delivery, fault: Fault, processed: Answer = unprocessed): Answer {
	const { status = 200, headers } = fault;
	switch (fault.kind) {
		case 'status':
			return answer(status, fault.body ?? '', headers);
		case 'code':
			return codeAnswer(delivery, fault);
		case 'html':
			return htmlAnswer(status, 'Bad gateway');
		case 'empty':
			return answer(status, '', headers);
		case 'malformedJson': {
			const text = textOf(processed);
			const json = { 'content-type': 'application/json' };
			return answer(status, text.slice(0, Math.ceil(text.length / 2)), json);
		}
		case 'unknownShape':
			return answer(status, { ok: true, payload: { reference: 'unknown' } }, headers);
		case 'redirect':
			return answer(fault.status ?? 302, '', { ...headers, location: fault.location ?? '/' });
		case 'expired':
			return answer(fault.status ?? 403, '<Error><Code>AccessDenied</Code></Error>', {
				'content-type': 'application/xml',
			});
		default:
			return processed;
	}
}

function codeAnswer({ refuse }: Delivery, fault: Fault): Answer {
	const refusal = refuse(fault.code ?? 5000, fault.message);
	return {
		...refusal,
		status: fault.status ?? refusal.status,
		headers: { ...refusal.headers, ...fault.headers },
	};
}

function reply({ response, record }: Delivery, message: Answer, cutAfter?: number): void {
	if (response.destroyed) return;
	record.status = message.status;
	send(response, message, cutAfter);
}
