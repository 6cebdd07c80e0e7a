import { Container } from '@n8n/di';
import { BinaryDataService } from 'n8n-core';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Workbench } from '../../harness/workbench';
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
