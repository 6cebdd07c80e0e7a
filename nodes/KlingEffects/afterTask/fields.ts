import type { INodeProperties } from 'n8n-workflow';

/**
 * Wait, download and output field, for Create and Get. Create returns the finished video by default. As
 * an AI agent's tool it does not wait: agents and chats give up within minutes.
 */
export const videoFields: INodeProperties[] = [
	...waitFields({ ...forVideo('create'), '@tool': [false] }).map((field) =>
		field.type === 'boolean' ? { ...field, default: true } : field,
	),
	...waitFields({ ...forVideo('create'), '@tool': [true] }),
	...waitFields(forVideo('get')),
];

type Show = { resource: string[]; operation: string[]; '@tool'?: boolean[] };

function forVideo(operation: string): Show {
	return { resource: ['video'], operation: [operation] };
}

function waitFields(show: Show): INodeProperties[] {
	// A task that was just created has no video yet: Create downloads only when it waits.
	const shown = show.operation[0] === 'create' ? { ...show, waitForCompletion: [true] } : show;
	return [
		{
			displayName: 'Wait for Completion',
			name: 'waitForCompletion',
			type: 'boolean',
			default: false,
			description:
				'Whether to wait until the task has finished, which takes minutes. Otherwise the task is returned as it is now.',
			displayOptions: { show },
		},
		{
			displayName: 'Download Video',
			name: 'downloadVideo',
			type: 'boolean',
			default: false,
			description:
				'Whether to add the finished video to the item as a file. Links expire, so download videos that you want to keep.',
			displayOptions: { show: shown },
		},
		{
			displayName: 'Output Field Name',
			name: 'outputField',
			type: 'string',
			default: 'data',
			required: true,
			placeholder: 'e.g. data',
			hint: 'The name of the output field to put the video in. Further videos go to the same name with 2, 3… added.',
			displayOptions: { show: { ...shown, downloadVideo: [true] } },
		},
	];
}

export const maxFileSizeOption: INodeProperties = {
	displayName: 'Max File Size (MB)',
	name: 'maxFileSize',
	type: 'number',
	typeOptions: { minValue: 1 },
	// Generous: n8n keeps a video in memory, in its database or on its disk.
	default: 1024,
	displayOptions: { show: { '/downloadVideo': [true] } },
	description: 'Largest video to download. For a larger one, the message contains its link.',
};

/** Options of a wait, in alphabetical order. */
export const pollIntervalOption: INodeProperties = {
	displayName: 'Poll Interval (Seconds)',
	name: 'pollInterval',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: 10,
	displayOptions: { show: { '/waitForCompletion': [true] } },
	description: 'Time between checks while waiting. Checks are free.',
};
export const timeoutOption: INodeProperties = {
	displayName: 'Timeout (Minutes)',
	name: 'timeout',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 30,
	description:
		'Maximum time to wait for a slot at the provider and for the task to finish. A task that has not finished by then is returned as it is, with timedOut set to true.',
};
