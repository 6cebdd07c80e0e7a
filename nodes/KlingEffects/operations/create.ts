import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import {
	describeFailure,
	describeUnknownOutcome,
	isFatal,
	type Subject,
} from '../../kling/messages';
import type { OrderTerms } from '../../kling/order';
import type { EffectType } from '../../kling/scenes';
import { Admission } from '../../kling/tasks/admission';
import { inParallel } from '../../kling/tasks/follow';
import { submit, termsToSend, type Submission } from '../../kling/tasks/submit';
import { checkTerms } from '../../kling/terms';
import { loadImages } from '../../n8n/images';
import { NodeMemory, showTaskIds } from '../../n8n/memory';
import type { Problem } from '../../n8n/problems';
import { outputOf, type Result } from '../../n8n/results';
import type { Session } from '../../n8n/session';
import { readWaitOptions, waitAndFinish, type Held, type WaitOptions } from './shared';

const show = { operation: ['create'] };

export const createFields: INodeProperties[] = [
	{
		displayName: 'Effect Type',
		name: 'effectType',
		type: 'options',
		options: [
			{ name: 'One Image', value: 'single', description: 'Effects for one photo' },
			{
				name: 'Two Images',
				value: 'dual',
				description: 'Effects that bring two photos together, such as a hug',
			},
		],
		default: 'single',
		displayOptions: { show },
		description: 'How many images the effect takes',
	},
	{
		displayName: 'Effect Scene',
		name: 'effectScene',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Select a scene…',
				typeOptions: { searchListMethod: 'searchScenes', searchable: true },
			},
			{
				displayName: 'By Name',
				name: 'name',
				type: 'string',
				placeholder: 'e.g. hug_pro',
			},
		],
		displayOptions: { show },
		description:
			'The effect to apply. Providers add and withdraw scenes each month: enter the name of one that the list does not have yet.',
	},
	{
		displayName: 'Image Input',
		name: 'imageInput',
		type: 'options',
		options: [
			{ name: 'Base64', value: 'base64', description: 'The image as base64 text' },
			{ name: 'Binary File', value: 'binary', description: 'A file of the input item' },
			{ name: 'URL', value: 'url', description: 'The address of an image on the web' },
		],
		default: 'url',
		displayOptions: { show },
		description: 'Where the image comes from',
	},
	...imageFields('single', 'Image', 'Input Data Field Name', 'image', 'imageField', 'data'),
	...imageFields(
		'dual',
		'Second Image',
		'Second Input Data Field Name',
		'secondImage',
		'secondImageField',
		'data2',
	),
];

function imageFields(
	effectType: EffectType,
	displayName: string,
	fieldDisplayName: string,
	parameter: string,
	fieldParameter: string,
	defaultField: string,
): INodeProperties[] {
	const shown = effectType === 'dual' ? { ...show, effectType: ['dual'] } : show;
	const side = effectType === 'dual' ? ' It goes to the right side.' : '';
	return [
		{
			displayName,
			name: parameter,
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. https://example.com/portrait.jpg',
			displayOptions: { show: { ...shown, imageInput: ['url'] } },
			description: `Address of a JPEG or PNG of at most 10 MB that the provider can reach.${side}`,
		},
		{
			displayName,
			name: parameter,
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. iVBORw0KGgoAAAANSUhEUgAA…',
			displayOptions: { show: { ...shown, imageInput: ['base64'] } },
			description: `A JPEG or PNG of at most 10 MB as base64 text, with or without a data: prefix.${side}`,
		},
		{
			displayName: fieldDisplayName,
			name: fieldParameter,
			type: 'string',
			default: defaultField,
			required: true,
			placeholder: `e.g. ${defaultField}`,
			hint: 'The name of the input field that holds the image file',
			displayOptions: { show: { ...shown, imageInput: ['binary'] } },
		},
	];
}

/** Options of Create alone, in the order of the alphabet. */
export const createOptions: INodeProperties[] = [
	{
		displayName: 'Callback URL',
		name: 'callbackUrl',
		type: 'string',
		default: '',
		placeholder: 'e.g. https://n8n.example.com/webhook/kling',
		description:
			'Address that the provider calls when the status of the task changes. Not with Modellix.',
	},
	{
		displayName: 'Concurrency',
		name: 'concurrency',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 100 },
		default: 20,
		description:
			'How many create requests may be under way at once. The node goes below this by itself when the provider asks for it.',
	},
	{
		displayName: 'Duration',
		name: 'duration',
		type: 'options',
		options: [
			{ name: '10 Seconds', value: 10 },
			{ name: '5 Seconds', value: 5 },
		],
		default: 5,
		description: 'Length of the video. Most scenes have a fixed length.',
	},
	{
		displayName: 'External Task ID',
		name: 'externalTaskId',
		type: 'string',
		default: '',
		placeholder: 'e.g. order-4711',
		description:
			'An ID of your own for the task, unique in the account. Without it the node makes one, to find the task again after a lost answer. Not with Modellix and APIModels.',
	},
	{
		displayName: 'Mode',
		name: 'mode',
		type: 'options',
		options: [
			{ name: 'Professional', value: 'pro' },
			{ name: 'Standard', value: 'std' },
		],
		default: 'std',
		description: 'Quality of some older scenes for two images. Not with Modellix.',
	},
	{
		displayName: 'Model Name',
		name: 'modelName',
		type: 'string',
		default: '',
		placeholder: 'e.g. kling-v1-6',
		description: 'Model of some older scenes for two images. Not with Modellix.',
	},
];

const mostConcurrency = 100;
const usualConcurrency = 20;

/** One item that passed the checks. */
interface Wanted {
	itemIndex: number;
	effectType: EffectType;
	terms: OrderTerms;
}

type Checked = { ok: true; wanted: Wanted } | { ok: false; itemIndex: number; problem: Problem };

/**
 * Creates the tasks of all items, waits and downloads where asked.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop": at the first problem, before
 * anything is sent when it is one of the input
 */
export async function executeCreate(
	context: IExecuteFunctions,
	session: Session,
): Promise<INodeExecutionData[]> {
	const checked = await checkItems(context, session);
	const results: Result[] = checked.filter((entry) => !entry.ok);
	if (results.length > 0 && !context.continueOnFail()) return outputOf(context, results);
	const wanted = checked.flatMap((entry) => (entry.ok ? [entry.wanted] : []));
	const run = new CreateRun(context, session, readWaitOptions(context));
	const submissions = await run.submitAll(wanted);
	const finished = await run.finishAll(submissions);
	return outputOf(context, [...results, ...finished], run.paid());
}

/** Checks everything that can be known before paying, for all items. */
async function checkItems(context: IExecuteFunctions, session: Session): Promise<Checked[]> {
	const checked: Checked[] = [];
	for (const itemIndex of context.getInputData().keys()) {
		const wanted = checkItem(context, session, itemIndex);
		// Loaded now to be judged, and again when sent, so that the images of all items are never held at once.
		const images = wanted.ok
			? await loadImages(context, itemIndex, wanted.wanted.effectType)
			: { ok: true as const };
		checked.push(images.ok ? wanted : { ok: false, problem: images.problem, itemIndex });
	}
	return checked;
}

function checkItem(context: IExecuteFunctions, session: Session, itemIndex: number): Checked {
	const effectType = context.getNodeParameter('effectType', itemIndex, 'single');
	if (effectType !== 'single' && effectType !== 'dual') {
		const message = `Effect Type “${String(effectType)}” is not known`;
		return {
			ok: false,
			itemIndex,
			problem: { message, description: 'Choose One Image or Two Images.' },
		};
	}
	const effectScene = context.getNodeParameter('effectScene', itemIndex, '', {
		extractValue: true,
	});
	const options = context.getNodeParameter('options', itemIndex, {});
	const checked = checkTerms({ ...options, effectScene }, session.provider);
	return checked.ok
		? { ok: true, wanted: { itemIndex, effectType, terms: checked.value } }
		: { ok: false, problem: checked.problem, itemIndex };
}

interface Submitted {
	wanted: Wanted;
	submission: Submission;
}

/** One execution of Create, over all items that passed the checks. */
class CreateRun {
	private readonly memory: NodeMemory;
	private readonly admission: Admission;
	private readonly deadline: number;
	private readonly concurrency: number;
	private readonly held: Held[] = [];

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly session: Session,
		private readonly wait: WaitOptions,
	) {
		const { clock, signal } = session;
		this.memory = new NodeMemory(context);
		this.deadline = clock.now() + wait.timeoutMs;
		this.concurrency = readConcurrency(context);
		// Without time to wait, a create is still sent once.
		const deadline = Math.max(this.deadline, clock.now() + 60_000);
		this.admission = new Admission({ concurrency: this.concurrency, deadline }, clock, signal);
	}

	async submitAll(wanted: readonly Wanted[]): Promise<Submitted[]> {
		const submitted: Submitted[] = [];
		// Twice as many as may be sent: those that look for a lost task do not hold up the others.
		await inParallel(wanted, this.concurrency * 2, async (one, index) => {
			submitted[index] = { wanted: one, submission: await this.submitOne(one) };
			this.note(submitted[index]);
		});
		return submitted;
	}

	private async submitOne({ itemIndex, effectType, terms }: Wanted): Promise<Submission> {
		const { client, clock, signal, provider } = this.session;
		const memory = this.memory.placeOf(itemIndex, provider.name, terms);
		const sent = termsToSend(terms, provider, memory);
		const send = async () => {
			const images = await loadImages(this.context, itemIndex, effectType);
			return await client.create({ ...sent, images: images.ok ? images.images : [] });
		};
		const { admission } = this;
		return await submit(sent, { send, client, admission, memory, clock, signal });
	}

	/** Stops sending where the rest would meet the same, or where n8n will drop the rest's output. */
	private note({ wanted, submission }: Submitted): void {
		if (submission.outcome === 'created' || submission.outcome === 'found') {
			this.held.push({ itemIndex: wanted.itemIndex, record: submission.record });
			showTaskIds(
				this.context,
				this.held.map(({ record }) => record.task.taskId),
			);
			return;
		}
		const isFatalToAll = 'failure' in submission && isFatal(submission.failure);
		if (isFatalToAll || !this.context.continueOnFail()) this.admission.stop();
	}

	async finishAll(submitted: readonly Submitted[]): Promise<Result[]> {
		const problems = submitted.flatMap(({ wanted, submission }): Result[] => {
			const problem = this.problemOf(wanted, submission, submitted);
			return problem ? [{ ok: false, itemIndex: wanted.itemIndex, problem }] : [];
		});
		if (problems.length > 0 && !this.context.continueOnFail()) return problems;
		const finished = await waitAndFinish(this.context, this.session, this.held, {
			deadline: this.deadline,
			intervalMs: this.wait.intervalMs,
			firstLookMs: this.wait.intervalMs,
		});
		return [...problems, ...finished];
	}

	private problemOf(
		{ itemIndex, terms }: Wanted,
		submission: Submission,
		all: readonly Submitted[],
	): Problem | null {
		const subject: Subject = { provider: this.session.provider, itemIndex };
		if (submission.outcome === 'refused') {
			const { failure } = submission;
			return { ...describeFailure(failure, subject), failure };
		}
		if (submission.outcome === 'unknown') {
			const { failure, externalTaskId } = submission;
			const { effectScene } = terms;
			const about = { ...subject, externalTaskId, effectScene };
			return {
				...describeUnknownOutcome(failure, about),
				failure,
				...(externalTaskId ? { externalTaskId } : {}),
			};
		}
		return submission.outcome === 'notSent' ? this.describeNotSent(all) : null;
	}

	private describeNotSent(all: readonly Submitted[]): Problem {
		const cause = all.find(
			({ submission }) => submission.outcome === 'refused' && isFatal(submission.failure),
		);
		const description = 'Nothing was created or charged for this item. Run it again.';
		if (!cause || cause.submission.outcome !== 'refused') {
			return {
				message: 'This item was not sent, because the run ended before its turn',
				description,
			};
		}
		const { message } = describeFailure(cause.submission.failure, {
			provider: this.session.provider,
		});
		return { message: `This item was not sent: ${message}`, description };
	}

	/** What to tell of the tasks that the run holds when no item will show them. */
	paid(): string | null {
		if (this.held.length === 0) return null;
		const tasks = [...this.held]
			.sort((a, b) => a.itemIndex - b.itemIndex)
			.map(({ itemIndex, record }) => `item ${itemIndex}: ${record.task.taskId}`);
		return `Tasks that exist already: ${tasks.join(', ')}. A retry of this execution finds them and does not create them again.`;
	}
}

function readConcurrency(context: IExecuteFunctions): number {
	const given = Number(context.getNodeParameter('options.concurrency', 0, usualConcurrency));
	const whole = Math.floor(given) || usualConcurrency;
	return Math.min(mostConcurrency, Math.max(1, whole));
}
