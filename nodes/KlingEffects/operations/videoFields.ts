import type { INodeProperties } from 'n8n-workflow';

/** Wait, download and output field, for Create and Get. */
export const videoFields: INodeProperties[] = [
	{
		displayName: 'Wait for Completion',
		name: 'waitForCompletion',
		type: 'boolean',
		default: false,
		description:
			'Whether to wait until the task has ended, which takes minutes. Otherwise the task is returned as it is now.',
		displayOptions: { show: { operation: ['create', 'get'] } },
	},
	// A task that was just created has no video yet: Create shows these only when it waits.
	...downloadFields({ operation: ['create'], waitForCompletion: [true] }),
	...downloadFields({ operation: ['get'] }),
];

function downloadFields(show: {
	operation: string[];
	waitForCompletion?: boolean[];
}): INodeProperties[] {
	return [
		{
			displayName: 'Download Video',
			name: 'downloadVideo',
			type: 'boolean',
			default: false,
			description:
				'Whether to add the finished video as a file to the item. Links expire, so download videos that you want to keep.',
			displayOptions: { show },
		},
		{
			displayName: 'Output Field Name',
			name: 'outputField',
			type: 'string',
			default: 'data',
			required: true,
			placeholder: 'e.g. data',
			hint: 'The name of the output field to put the video in. Further videos of one task go to the name with a number.',
			displayOptions: { show: { ...show, downloadVideo: [true] } },
		},
	];
}

/** Options of a wait, in the order of the alphabet. */
export const pollIntervalOption: INodeProperties = {
	displayName: 'Poll Interval',
	name: 'pollInterval',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: 10,
	displayOptions: { show: { '/waitForCompletion': [true] } },
	description: 'Seconds between two looks at a task while waiting. Looking costs nothing.',
};
export const timeoutOption: INodeProperties = {
	displayName: 'Timeout',
	name: 'timeout',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 30,
	description:
		'Minutes to wait at most, for a free place at the provider and for the task to end. A task that has not ended by then is returned with its last state and timedOut set to true.',
};
