import type { Failure, FailureKind } from './failure';
import type { Provider } from './providers';
import type { Task } from './task';

/** A text for a person: what happened, and what to do next. Both are plain text. */
export interface Message {
	message: string;
	description: string;
}

/** What a message is about, as far as it is known. */
export interface Subject {
	provider: Pick<Provider, 'displayName' | 'advice'>;
	/** Zero-based, as n8n shows it. */
	itemIndex?: number;
	taskId?: string | null;
}

type Text = (provider: string, failure: Failure) => [happened: string, advice: string];

const texts: Record<FailureKind, Text> = {
	keyRefused: (provider) => [
		`${provider} did not accept the key`,
		'Check the key in the credential: it may be mistyped, withdrawn, or meant for another provider.',
	],
	accountEmpty: (provider) => [
		`The ${provider} account has no credit left`,
		'Top up the account, then run this again.',
	],
	accountBlocked: (provider) => [
		`${provider} does not let this account in`,
		`Check the account in the ${provider} console.`,
	],
	notAllowed: (provider) => [
		`${provider} does not allow this account to do that`,
		`Check in the ${provider} console what the key may be used for.`,
	],
	badRequest: (provider, { providerMessage }) => [
		`${provider} did not accept the request${because(providerMessage)}`,
		'Change the parameter that the text names, then run this again. Nothing was charged.',
	],
	contentRefused: (provider, { providerMessage }) => [
		`${provider} refused the image for its content${because(providerMessage)}`,
		'Use another image or effect scene.',
	],
	notFound: (provider) => [
		`${provider} knows no such task`,
		'Check the id and that the credential belongs to the account that created the task. Tasks can also be too old to be asked for.',
	],
	notOffered: (provider, { providerMessage }) => [
		`${provider} does not have what the request asks for${because(providerMessage)}`,
		'Check Effect Scene, Model Name under Options, and Base URL in the credential. Nothing was charged.',
	],
	duplicateExternalId: (provider) => [
		`${provider} already has a task with this external task ID`,
		'Give each task an external task ID of its own, or leave the option out.',
	],
	tooManyRequests: (provider) => [
		`${provider} is receiving too many requests`,
		'Run this again later, or lower Concurrency under Options.',
	],
	noFreeSlot: (provider) => [
		`All parallel tasks that the ${provider} account allows are in use`,
		'Run this again when a task has finished, raise Timeout under Options to wait longer for a free place, or get a larger resource pack.',
	],
	providerDown: (provider, { providerMessage }) => [
		`${provider} is not available at the moment${because(providerMessage)}`,
		'Run this again later.',
	],
	redirected: (provider) => [
		`${provider} pointed to another address instead of answering`,
		'Check Base URL in the credential. The key is not sent on to other addresses.',
	],
	unreadable: (provider, failure) => [
		`${provider} answered with ${bodies[failure.body]}`,
		'Check Base URL in the credential. If it is right, ask the support of the provider.',
	],
	noResponse: (provider) => [
		`${provider} did not answer`,
		'Check the network between n8n and the provider, then run this again.',
	],
	unreachable: (provider) => [
		`${provider} could not be reached`,
		'Check Base URL in the credential and the network of n8n.',
	],
	cancelled: (provider) => [
		`The execution was stopped while ${provider} was being asked`,
		'Run this again to go on.',
	],
	imageGone: (_provider, { providerMessage }) => [
		providerMessage ?? 'The image can no longer be read',
		'Nothing was sent. Run the node before this one again, so that the file is there.',
	],
};

const bodies: Record<Failure['body'], string> = {
	json: 'data in a form that is not documented',
	html: 'a web page instead of data',
	empty: 'an empty page',
	text: 'text instead of data',
	tooLarge: 'more than 10 MB',
	none: 'nothing',
};

function because(providerMessage: string | null): string {
	return providerMessage ? `: ${providerMessage}` : '';
}

/** What happened to a request, what to do, and the facts that support asks for. */
export function describeFailure(failure: Failure, subject: Subject): Message {
	const [message, advice] = texts[failure.kind](subject.provider.displayName, failure);
	const byCode = failure.code === null ? undefined : subject.provider.advice?.[failure.code];
	return { message, description: sentences(byCode ?? advice, factsOf(failure, subject)) };
}

/** The facts that name a request: item, provider, task, code, status, request id. */
export function factsOf(failure: Failure | null, subject: Subject): string {
	const said = failure?.providerMessage;
	return [
		subject.itemIndex === undefined ? null : `item ${subject.itemIndex}`,
		`provider ${subject.provider.displayName}`,
		subject.taskId ? `task ${subject.taskId}` : null,
		failure?.code ? `code ${failure.code}` : null,
		failure?.httpStatus ? `HTTP ${failure.httpStatus}` : null,
		failure?.requestId ? `request id ${failure.requestId}` : null,
		said ? `the provider says “${said}”` : null,
	]
		.filter((fact) => fact !== null)
		.join(', ');
}

/** What to say when nobody knows whether a create was accepted. */
export function describeUnknownOutcome(
	failure: Failure,
	subject: Subject & {
		provider: Pick<Provider, 'externalId'>;
		externalTaskId: string | null;
		effectScene: string;
		/** Why the task could not be looked up, where that failed. */
		lookUp: Failure | null;
	},
): Message {
	const { displayName, externalId } = subject.provider;
	const sent = subject.externalTaskId
		? `The request for effect scene “${subject.effectScene}” was sent with external task ID ${subject.externalTaskId}.`
		: `The request for effect scene “${subject.effectScene}” was sent.`;
	const check = subject.externalTaskId
		? `Look for that id in the ${displayName} console or its usage log.`
		: `Look in the ${displayName} console or its usage log for a task of this minute.`;
	return {
		message: `${displayName} may have created the task, but its answer did not arrive`,
		description: sentences(
			[
				externalId === 'lookup'
					? `Nothing is paid twice: ${displayName} takes an external task ID only once.`
					: 'It was not sent again, so that nothing is paid twice.',
				sent,
				subject.lookUp ? `Looking for it failed: ${wordsOf(subject.lookUp, displayName)}.` : '',
				check,
				externalId === 'lookup'
					? 'A retry of this execution looks for it again, and sends it only when it is not there.'
					: 'If there is no task, start the workflow anew: a retry of this execution does not send it again.',
			]
				.filter((text) => text !== '')
				.join(' '),
			factsOf(failure, subject),
		),
	};
}

function wordsOf(failure: Failure, provider: string): string {
	return texts[failure.kind](provider, failure)[0];
}

/** What to say about a task that the provider ended as failed. */
export function describeFailedTask(task: Task, subject: Subject): Message {
	const scene = task.effectScene ? ` “${task.effectScene}”` : '';
	return {
		message: `${subject.provider.displayName} could not make the effect${scene}: ${task.statusMessage ?? 'no reason given'}`,
		description: sentences(
			'Change the image or the effect scene and start the workflow anew. A retry of this execution finds the same task again and creates none.',
			factsOf(null, { ...subject, taskId: task.taskId }),
		),
	};
}

function sentences(advice: string, facts: string): string {
	return facts === '' ? advice : `${advice} (${facts})`;
}
