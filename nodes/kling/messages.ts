import type { Submission } from './create/entry';
import type { Failure, FailureKind } from './failure';
import type { Provider } from './providers';

/** A text for a person: what happened, and what to do next. Both are plain text. */
export interface Message {
	message: string;
	description: string;
}

/** What a message is about, as far as known. */
export interface Subject {
	provider: Pick<Provider, 'displayName' | 'advice'>;
	/** Zero-based, as n8n shows it. */
	itemIndex?: number;
	taskId?: string | null;
	/** Whether it was a create: only creates have a scene, a model and Concurrency. */
	isCreate?: boolean;
}

type Text = (
	provider: string,
	failure: Failure,
	isCreate: boolean,
) => [happened: string, advice: string];

const texts: Record<FailureKind, Text> = {
	keyRefused: (provider) => [
		`${provider} did not accept the key`,
		'Check the key in the credential: it may be mistyped, revoked, or meant for another provider.',
	],
	accountEmpty: (provider) => [
		`The ${provider} account has no credit left`,
		'Top up the account, then run this again.',
	],
	accountBlocked: (provider) => [
		`${provider} has blocked this account`,
		`Check the account in the ${provider} console.`,
	],
	notAllowed: (provider) => [
		`${provider} does not allow this account to do that`,
		`Check the permissions of the key in the ${provider} console.`,
	],
	badRequest: (provider, { providerMessage }) => [
		`${provider} did not accept the request${because(providerMessage)}`,
		'Fix what the message describes, then run this again. Nothing was charged.',
	],
	contentRefused: (provider, { providerMessage }) => [
		`${provider} refused the image for its content${because(providerMessage)}`,
		'Use another image or effect scene.',
	],
	notFound: (provider) => [
		`${provider} has no task with this ID`,
		'Check the ID, and that the credential belongs to the account that created the task. Old tasks may be gone.',
	],
	notOffered: (provider, { providerMessage }, isCreate) => [
		`${provider} ${isCreate ? 'does not offer this scene or model' : 'does not offer this request'}${because(providerMessage)}`,
		isCreate
			? 'Check Effect Scene, Model Name under Options, and Base URL in the credential. Nothing was charged.'
			: 'Check Provider and Base URL in the credential.',
	],
	duplicateExternalId: (provider) => [
		`${provider} already has a task with this external task ID`,
		'Give each task its own external task ID, or remove the option.',
	],
	tooManyRequests: (provider, _failure, isCreate) => [
		`${provider} is receiving too many requests`,
		`Run this again later${isCreate ? ', or lower Concurrency under Options' : ''}.`,
	],
	noFreeSlot: (provider) => [
		`The ${provider} account is at its parallel-task limit`,
		'Run this again when a task has finished, raise Timeout under Options to wait longer for a slot, or get a larger resource pack.',
	],
	providerDown: (provider, { providerMessage }) => [
		`${provider} is not available at the moment${because(providerMessage)}`,
		'Run this again later.',
	],
	redirected: (provider) => [
		`${provider} redirected the request`,
		'Check Base URL in the credential. The key is never sent to another address.',
	],
	unreadable: (provider, failure) => [
		`${provider} answered with ${bodies[failure.body]}`,
		`Check Base URL in the credential. If it is right, ask ${provider} support.`,
	],
	contradictory: (provider, { possibleIds }) => [
		`${provider} refused the request but still named a task`,
		`Try the ID with Get: ${possibleIds.join(', ')}.`,
	],
	otherTask: (provider) => [
		`${provider} returned a different task than the one requested`,
		`Check Base URL in the credential. If it is right, ask ${provider} support.`,
	],
	otherExecution: (provider) => [
		`${provider} already has a task with the ID derived from this execution's number`,
		'An earlier execution had the same number, as happens after a backup is restored. Its task is not used for this item, and nothing was charged. Run the workflow again, or enter an External Task ID under Options.',
	],
	noResponse: (provider) => [
		`${provider} did not answer`,
		'Check the network between n8n and the provider, then run this again.',
	],
	unreachable: (provider) => [
		`${provider} could not be reached`,
		"Check Base URL in the credential and n8n's network connection.",
	],
	untrusted: (provider, { code }) => [
		`The TLS certificate of ${provider} is not trusted`,
		`Nothing was sent. ${adviceOnCertificate(code)}`,
	],
	proxyRefused: (provider, { httpStatus }) => [
		`The proxy between n8n and ${provider} refused the connection`,
		`Nothing was sent to ${provider}. ${
			httpStatus === 407
				? "Check the user name and password in n8n's environment variables HTTPS_PROXY and HTTP_PROXY."
				: `Allow the host of ${provider} in the proxy, or add it to n8n's environment variable NO_PROXY.`
		}`,
	],
	proxyWithoutConnection: (provider) => [
		`The proxy between n8n and ${provider} could not connect`,
		`Nothing was sent to ${provider}. Check the proxy in n8n's environment variable HTTPS_PROXY, and Base URL in the credential.`,
	],
	cancelled: (provider) => [
		`The execution was stopped during a request to ${provider}`,
		'Run this again to continue.',
	],
	maxTasks: () => [
		'Max Tasks under Options has been reached',
		'Nothing was sent or charged for this item. Raise it to let this execution create more.',
	],
	imageGone: (_provider, { providerMessage }) => [
		providerMessage ?? 'The image can no longer be read',
		'Nothing was sent. Run the previous node again so that the file is available.',
	],
};

const bodies: Record<Failure['body'], string> = {
	json: 'data in an unknown format',
	html: 'a web page instead of data',
	empty: 'an empty response',
	text: 'text instead of data',
	tooLarge: 'more than 10 MB',
	none: 'nothing',
};

function because(providerMessage: string | null): string {
	return providerMessage ? `: ${providerMessage}` : '';
}

/** What happened to a request, what to do, and the facts that support asks for. */
export function describeFailure(failure: Failure, subject: Subject): Message {
	const { provider } = subject;
	const textOf = texts[failure.kind];
	const [message, usual] = textOf(provider.displayName, failure, subject.isCreate ?? false);
	const advice = provider.advice?.get(failure.code ?? '') ?? usual;
	return { message, description: `${advice} (${factsOf(failure, subject, message)})` };
}

/**
 * The facts that identify a request: item, provider, task, code, status, request id, provider's words.
 *
 * @param told what was already said, so that the provider's words do not appear twice
 */
export function factsOf(failure: Failure | null, subject: Subject, told = ''): string {
	const said = failure?.providerMessage;
	const shown = `${told}${failure?.excerpt ?? ''}`;
	return [
		subject.itemIndex === undefined ? null : `item ${subject.itemIndex}`,
		`provider ${subject.provider.displayName}`,
		subject.taskId ? `task ${subject.taskId}` : null,
		failure?.code ? `code ${failure.code}` : null,
		failure?.httpStatus ? `HTTP ${failure.httpStatus}` : null,
		failure?.requestId ? `request id ${failure.requestId}` : null,
		said && !shown.includes(said) ? `the provider says “${said}”` : null,
		failure?.excerpt ? `the response starts with “${failure.excerpt}”` : null,
	]
		.filter((fact) => fact !== null)
		.join(', ');
}

type Unknown = Extract<Submission, { outcome: 'unknown' }>;

/** What to say when it is unknown whether a create was accepted. */
export function describeUnknownOutcome(
	failure: Failure,
	subject: Subject &
		Pick<Unknown, 'externalTaskId' | 'lookUp' | 'refusal'> & {
			hasDied?: boolean | 'orRetried';
			provider: Pick<Provider, 'externalId'>;
			effectScene: string;
			/** Whether it was sent with another key, base URL or credential than now. */
			isElsewhere?: boolean;
		},
): Message {
	const { displayName, externalId } = subject.provider;
	const { hasDied = false, isElsewhere = false, externalTaskId, lookUp, refusal } = subject;
	const canLook = externalId === 'lookup' && !isElsewhere;
	const sent = `The request for effect scene “${subject.effectScene}” ${hasDied ? 'may have been' : 'was'} sent`;
	const time = hasDied ? 'while that execution ran' : 'in the last minute';
	const check = externalTaskId
		? `Look for that ID in the ${displayName} console or its usage log.`
		: `Look in the ${displayName} console or its usage log for a task created ${time}.`;
	const possible = failure.possibleIds.join(', ');
	const message = `${displayName} may have created the task, but ${fateOf(failure, hasDied)}`;
	const advice = [
		canLook
			? `You will not pay twice: ${displayName} accepts each external task ID only once.`
			: 'It was not sent again, so you will not pay twice.',
		isElsewhere
			? `It went to ${displayName} before the credential was changed; the current credential cannot look it up.`
			: null,
		externalTaskId ? `${sent} with external task ID ${externalTaskId}.` : `${sent}.`,
		possible ? `The response may contain the task ID: ${possible}. Try it with Get.` : null,
		refusal ? `It could not be sent again: ${wordsOf(refusal, displayName)}.` : null,
		lookUp ? `It could not be looked up: ${wordsOf(lookUp, displayName)}.` : null,
		check,
		canLook
			? 'A retry of this execution looks it up again and sends it only if it is not there.'
			: 'If there is no task, run the workflow again: retrying this execution does not send it again.',
	].filter((text) => text !== null);
	const told = advice.join(' ');
	const facts = factsOf(refusal ?? failure, subject, message + told);
	return { message, description: `${told} (${facts})` };
}

/** What became of the response to a create, if it says nothing about the task. */
function fateOf({ httpStatus, kind }: Failure, hasDied: boolean | 'orRetried'): string {
	if (hasDied === 'orRetried') return 'in an earlier retry of this execution, or one that crashed';
	if (hasDied) return 'the execution crashed before its response was stored';
	if (httpStatus === null) return 'its response did not arrive';
	if (kind === 'unreadable') return 'its response cannot be read';
	return `its response was HTTP ${httpStatus}`;
}

function wordsOf(failure: Failure, provider: string): string {
	return texts[failure.kind](provider, failure, true)[0];
}

/**
 * What to do about a certificate that Node.js does not trust.
 *
 * @param code of Node.js: https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export function adviceOnCertificate(code: string | null): string {
	if (/EXPIRED|NOT_YET_VALID/.test(code ?? '')) {
		return 'It is not valid at this time: check the clock of the machine that runs n8n, and the address.';
	}
	if (/ALTNAME|HOSTNAME/.test(code ?? '')) return 'It belongs to another host: check the address.';
	return 'If your network inspects traffic or the address is your own gateway, set NODE_EXTRA_CA_CERTS in the environment of n8n to the file with its root certificate, and restart n8n.';
}
