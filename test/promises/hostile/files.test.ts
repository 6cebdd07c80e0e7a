import { Container } from '@n8n/di';
import { BinaryDataService } from 'n8n-core';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { picture, Workbench } from '../../harness/workbench';
import { until } from '../../harness/sandboxClient';
import { rows } from '../contract/providers';
import { useBinaryMode } from '../../../tools/engine';

const bench = Workbench.prepare();
const binaryInput = { imageInput: 'binary' };

describe('a file of the input', () => {
	test.each(rows)('$name: one that is too large is refused without being read', async (row) => {
		await useBinaryMode('filesystem');
		const file = await Container.get(BinaryDataService).store(
			{ type: 'execution', workflowId: 'workflow-1', executionId: '77' },
			Buffer.alloc(11 * 1024 * 1024),
			{ data: '', mimeType: 'image/jpeg', fileName: 'long.mp4' },
		);
		const stored = join(tmpdir(), 'kling-effects-binary', file.id!.split(':')[1]!);
		expect(existsSync(stored)).toBe(true);
		// A missing file cannot be read: only its size is still known.
		rmSync(stored);
		const { error } = await bench.create(row, binaryInput, {
			items: [{ json: {}, binary: { data: file } }],
		});
		expect(error?.message).toBe(
			'The file “long.mp4” in input field “data” is 11 MB. Kling accepts at most 10 MB',
		);
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('that goes while the items before it are sent ends its item alone, unpaid', async () => {
		await useBinaryMode('filesystem');
		const bytes = await picture();
		const store = async (fileName: string) =>
			await Container.get(BinaryDataService).store(
				{ type: 'execution', workflowId: 'workflow-1', executionId: '78' },
				bytes,
				{ data: '', mimeType: 'image/jpeg', fileName },
			);
		const files = [await store('first.jpg'), await store('second.jpg'), await store('third.jpg')];
		bench.sandbox.addFault({ kind: 'delay', delayMs: 300, match: { operation: 'create' } });
		const running = bench.create(
			rows[0],
			{ ...binaryInput, options: { concurrency: 1 } },
			{
				items: files.map((data) => ({ json: {}, binary: { data } })),
				settings: { onError: 'continueRegularOutput' },
			},
		);
		await until(() => bench.requests('create').length === 1, 'the first create');
		rmSync(join(tmpdir(), 'kling-effects-binary', files[1].id!.split(':')[1]!));
		const { json } = await running;
		expect(json.map(({ taskId }) => typeof taskId)).toEqual(['string', 'undefined', 'string']);
		expect(json[1].error).toMatch(/^n8n can no longer read the file “second.jpg”/);
		expect(json[1].message).toContain('Nothing was sent');
		expect(bench.sandbox.charges).toHaveLength(2);
	});

	test('in memory that is too large is refused by its decoded size', async () => {
		await useBinaryMode('default');
		const data = 'A'.repeat(16 * 1024 * 1024);
		const binary = { data: { data, mimeType: 'image/jpeg', fileName: 'large.jpg' } };
		const { error } = await bench.create(rows[0], binaryInput, {
			items: [{ json: {}, binary }],
		});
		expect(error?.message).toContain('“large.jpg” in input field “data” is 12 MB.');
	});
});
