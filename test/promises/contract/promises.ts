import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '../../../sandbox';
import { withSandbox } from '../../harness/setup';
import type { ProviderRow, TaskFact } from './providers';
import {
	Workbench,
	byExternalId,
	byId,
	dual,
	failingPhoto,
	fileItem,
	itemKeys,
	pairsOf,
	photo,
	picture,
	secondPhoto,
	single,
} from '../../harness/workbench';

const clip = readFileSync(join(__dirname, '../../../sandbox/assets/clip.mp4'));
/** Some providers count in seconds; anything but an ISO 8601 time stays unchanged. */
function inSeconds(value: unknown): unknown {
	const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(value));
	return isIso ? String(value).replace(/\.\d{3}Z$/, '') : value;
}

/** Tells jest to keep every promise to each of these providers. */
export function keepsPromises(rows: readonly ProviderRow[]): void {
	const bench = Workbench.prepare();

	/** Another server, which must receive nothing. */
	let elsewhere: Sandbox;
	withSandbox((started) => (elsewhere = started));

	describe.each([...rows])('$name', (row) => {
		const { displayName, provider } = row;
		const { keyHeader = /^Bearer [\w.-]+$/, keyHeaderName = 'authorization' } = row;
		const generated = row.sendsExternalId ? expect.stringMatching(/^n8n-\d{16}$/) : null;
		const idSent = row.sendsExternalId ? { externalTaskId: generated } : {};
		const accepted = () => bench.posts().filter(({ status }) => status === 200);

		describe('Create', () => {
			test('sends one image by URL in the documented body, with no option that was not set', async () => {
				const { json, error } = await bench.create(row);
				expect(error).toBeUndefined();
				expect(json).toEqual([
					expect.objectContaining({ effectScene: 'color_mixing', provider, status: 'submitted' }),
				]);
				const [post] = accepted();
				expect(post.path.endsWith(row.createPath)).toBe(true);
				expect(post.body).toEqual(
					row.bodyOf({ scene: 'color_mixing', images: [photo], ...(idSent as object) }),
				);
				expect(post.headers['content-type']).toMatch(/^application\/json/);
			});

			test('sends two images by URL, the first one first', async () => {
				const { error } = await bench.run(row, dual);
				expect(error).toBeUndefined();
				expect(accepted()[0].body).toEqual(
					row.bodyOf({ scene: 'hug_pro', images: [photo, secondPhoto], ...(idSent as object) }),
				);
			});

			test('sends base64 text without its data: prefix and line breaks', async () => {
				const base64 = (await picture()).toString('base64');
				const broken = `data:image/jpeg;base64,${base64.replace(/(.{76})/g, '$1\r\n')}`;
				const { error } = await bench.create(row, { imageInput: 'base64', image: broken });
				expect(error).toBeUndefined();
				expect(accepted()[0].body).toEqual(
					row.bodyOf({ scene: 'color_mixing', images: [base64], ...(idSent as object) }),
				);
			});

			test('sends the files of two input fields as bare base64', async () => {
				const files = {
					imageInput: 'binary',
					imageField: 'one',
					secondImageField: 'two',
					image: '',
					secondImage: '',
				};
				const items = [await fileItem({ one: 'portrait.jpg', two: 'second.jpg' })];
				const { error } = await bench.run(row, { ...dual, ...files }, { items });
				expect(error).toBeUndefined();
				const images = [await picture(), await picture('second.jpg')].map((bytes) =>
					bytes.toString('base64'),
				);
				expect(accepted()[0].body).toEqual(
					row.bodyOf({ scene: 'hug_pro', images, ...(idSent as object) }),
				);
			});

			test('gives the task id with all its digits, as text', async () => {
				const { json } = await bench.create(row);
				const [task] = bench.sandbox.tasks;
				expect(json[0].taskId).toBe(task.taskId);
			});

			test('charges one task for each item, and pairs each output item with its input', async () => {
				const items = [1, 2, 3].map((number) => ({ json: { number } }));
				const parameters = { image: '=https://example.com/{{ $json.number }}.jpg' };
				const result = await bench.create(row, parameters, { items });
				expect(bench.sandbox.charges).toHaveLength(3);
				expect(pairsOf(result)).toEqual([{ item: 0 }, { item: 1 }, { item: 2 }]);
				const charged = bench.sandbox.charges.map(({ taskId }) => taskId);
				expect(result.json.map(({ taskId }) => taskId).sort()).toEqual([...charged].sort());
			});

			test('sends every option that the provider supports, in the form it expects', async () => {
				const options = {
					callbackUrl: 'https://example.com/hook',
					duration: 10,
					externalTaskId: 'order-4711',
					mode: 'pro',
					modelName: 'kling-v1-6',
				};
				const taken = Object.fromEntries(
					Object.entries(options).filter(([name]) => !(name in row.refuses)),
				);
				const { error, json } = await bench.run(row, { ...dual, options: taken });
				expect(error).toBeUndefined();
				expect(accepted()[0].body).toEqual(
					row.bodyOf({ scene: 'hug_pro', images: [photo, secondPhoto], ...taken }),
				);
				expect(json[0].externalTaskId).toBe(row.sendsExternalId ? 'order-4711' : null);
			});

			for (const [name, option] of Object.entries(row.refuses)) {
				test(`refuses the option ${option.displayName} by name and sends nothing`, async () => {
					const { error } = await bench.create(row, { options: { [name]: option.value } });
					expect(error?.message).toBe(
						`${displayName} does not support the option ${option.displayName}`,
					);
					expect(error?.description).toContain(`Remove ${option.displayName} under Options`);
					expect(bench.sandbox.requests).toEqual([]);
				});
			}

			test('waits until the task has ended if asked to', async () => {
				const { json } = await bench.create(row, { waitForCompletion: true });
				const [task] = bench.sandbox.tasks;
				expect(json[0]).toMatchObject({
					taskId: task.taskId,
					effectScene: 'color_mixing',
					status: 'succeed',
					statusMessage: null,
					videoUrl: `${bench.sandbox.url}/files/${provider}/${task.taskId}-1.mp4`,
				});
				expect(json[0]).not.toHaveProperty('timedOut');
				expect(bench.sandbox.charges).toHaveLength(1);
			});

			test('returns a task that does not end in time with its id and timedOut', async () => {
				bench.sandbox.options.taskSeconds = 100_000;
				const { json } = await bench.create(row, {
					waitForCompletion: true,
					options: { timeout: 2 },
				});
				expect(json[0]).toMatchObject({ taskId: bench.sandbox.tasks[0].taskId, timedOut: true });
				expect(bench.sandbox.charges).toHaveLength(1);
			});

			test('downloads the video byte for byte, named after photo and scene, as a video', async () => {
				const wanted = { waitForCompletion: true, downloadVideo: true, outputField: 'clip' };
				const { items } = await bench.create(row, wanted);
				const file = items[0].binary?.clip;
				expect(Buffer.from(file?.data ?? '', 'base64').equals(clip)).toBe(true);
				expect(file).toMatchObject({
					fileName: 'left-color_mixing.mp4',
					mimeType: 'video/mp4',
					fileExtension: 'mp4',
				});
			});

			test('puts further videos of a task into numbered fields', async () => {
				const { items } = await bench.create(row, {
					image: `${photo}?videos=2`,
					waitForCompletion: true,
					downloadVideo: true,
				});
				const expected = row.ownKeys.includes('metadata') ? ['data'] : ['data', 'data2'];
				expect(Object.keys(items[0].binary ?? {})).toEqual(expected);
			});
		});

		describe('an item', () => {
			test('has exactly the documented keys in their order, in every state of the task', async () => {
				const created = await bench.create(row);
				const { taskId } = created.json[0];
				const got = await bench.run(row, { operation: 'get', taskId: byId(taskId) });
				const waited = await bench.run(row, {
					operation: 'get',
					taskId: byId(taskId),
					waitForCompletion: true,
				});
				for (const { json } of [created, got, waited])
					expect(Object.keys(json[0])).toEqual(itemKeys);
				expect(waited.json[0].status).toBe('succeed');
			});

			test("is the provider's own object untouched when Simplify is off", async () => {
				const { json } = await bench.create(row, { waitForCompletion: true, simplify: false });
				expect(Object.keys(json[0]).sort()).toEqual(row.ownKeys);
				expect(JSON.stringify(json[0])).toContain(bench.sandbox.tasks[0].taskId);
			});

			test('has times, length and cost exactly if the provider gives them', async () => {
				const { json } = await bench.create(row, { waitForCompletion: true });
				const [task] = bench.sandbox.tasks;
				const truth: Record<TaskFact, unknown> = {
					createdAt: inSeconds(new Date(task.createdAt).toISOString()),
					updatedAt: inSeconds(new Date(task.finishedAt).toISOString()),
					videoDuration: 5,
					unitsDeducted: 2,
				};
				for (const fact of Object.keys(truth) as TaskFact[]) {
					const told = row.tells.includes(fact) ? truth[fact] : null;
					expect([fact, inSeconds(json[0][fact])]).toEqual([fact, told]);
				}
			});
		});

		describe('Get', () => {
			test('finds a task by its id, even if an expression gives just the id', async () => {
				const { json } = await bench.create(row);
				const { taskId } = json[0];
				for (const given of [byId(taskId), byId(` ${String(taskId)} `), taskId]) {
					const got = await bench.run(row, { operation: 'get', taskId: given });
					expect(got.json[0]).toMatchObject({ taskId, provider });
					expect(pairsOf(got)).toEqual([{ item: 0 }]);
				}
				expect(bench.sandbox.charges).toHaveLength(1);
			});

			test('says that the provider has no task with an id that does not exist', async () => {
				const { error } = await bench.run(row, { operation: 'get', taskId: byId('12345') });
				expect(error?.message).toBe(`${displayName} has no task with this ID`);
				expect(error?.description).toContain('Check the ID');
			});

			if (row.findsByExternalId) {
				test('finds a task by its external id', async () => {
					const options = { externalTaskId: 'order 7/ä' };
					const { json } = await bench.create(row, { options });
					const got = await bench.run(row, { operation: 'get', taskId: byExternalId('order 7/ä') });
					expect(got.error).toBeUndefined();
					expect(got.json[0]).toMatchObject({
						taskId: json[0].taskId,
						externalTaskId: 'order 7/ä',
					});
				});
			} else {
				test('says by name that there are no external ids, and what to enter instead', async () => {
					const got = await bench.run(row, { operation: 'get', taskId: byExternalId('order-7') });
					expect(got.error?.message).toBe(`${displayName} has no external task IDs`);
					expect(got.error?.description).toContain('Set Task ID to By ID');
					expect(bench.sandbox.requests).toEqual([]);
				});
			}

			test('waits and downloads like Create', async () => {
				const { json } = await bench.create(row);
				const { items } = await bench.run(row, {
					operation: 'get',
					taskId: byId(json[0].taskId),
					waitForCompletion: true,
					downloadVideo: true,
				});
				expect(Buffer.from(items[0].binary?.data.data ?? '', 'base64').equals(clip)).toBe(true);
			});
		});

		describe('Get Many', () => {
			if (row.lists) {
				test('lists the tasks of the account, newest first', async () => {
					bench.sandbox.options.listOrder = 'random';
					const credential = bench.credential(row);
					const region = credential.region === 'china' ? 'china' : 'global';
					const start = bench.clock.now() - 100_000;
					bench.sandbox.seedTasks(
						provider,
						[3, 1, 2].map((place) => ({ region, createdAt: start - place * 1000 })),
					);
					const result = await bench.run(row, { operation: 'list', returnAll: true });
					const { json } = result;
					const times = json.map(({ createdAt }) => Date.parse(String(createdAt)));
					expect(times).toEqual([1, 2, 3].map((place) => start - place * 1000));
					expect(pairsOf(result)).toEqual([{ item: 0 }, { item: 0 }, { item: 0 }]);
					for (const item of json) expect(Object.keys(item)).toEqual(itemKeys);
				});
			} else {
				test('says by name that there is no list, and what to use instead', async () => {
					const { error } = await bench.run(row, { operation: 'list', returnAll: true });
					expect(error?.message).toBe(`${displayName} has no list of tasks`);
					expect(error?.description).toMatch(/Store the task IDs.*use Get.*Only Kling AI lists/);
					expect(bench.sandbox.requests).toEqual([]);
				});
			}
		});

		describe('a task that the provider ends as failed', () => {
			const failing = { ...single, image: failingPhoto, waitForCompletion: true };
			const message = `${displayName} could not generate “color_mixing”: Image pixel is invalid`;

			test("stops the workflow with the provider's reason and the task id", async () => {
				const { error, items } = await bench.run(row, failing);
				const { taskId } = bench.sandbox.tasks[0];
				expect(items).toEqual([]);
				expect(error?.message).toBe(message);
				expect(error?.description).toContain(taskId);
			});

			test('is an item with its state when On Error is Continue', async () => {
				const settings = { onError: 'continueRegularOutput' as const };
				const result = await bench.run(row, failing, { settings });
				const { json, error } = result;
				expect(error).toBeUndefined();
				expect(Object.keys(json[0])).toEqual(itemKeys);
				expect(json[0]).toMatchObject({
					status: 'failed',
					statusMessage: 'Image pixel is invalid',
					videoUrl: null,
				});
				expect(pairsOf(result)).toEqual([{ item: 0 }]);
			});

			test('goes to the error output if there is one, its good neighbors to the other', async () => {
				const settings = { onError: 'continueErrorOutput' as const };
				const items = [{ json: { image: failingPhoto } }, { json: { image: photo } }];
				const parameters = { ...failing, image: '={{ $json.image }}' };
				const result = await bench.run(row, parameters, { settings, items });
				expect(result.error).toBeUndefined();
				expect(result.json).toEqual([expect.objectContaining({ status: 'succeed' })]);
				expect(pairsOf(result)).toEqual([{ item: 1 }]);
				expect(result.errorItems).toHaveLength(1);
				expect(result.errorItems[0].json).toMatchObject({ error: message });
				expect(pairsOf(result, 1)).toEqual([{ item: 0 }]);
				const failed = bench.sandbox.tasks.find(({ outcome }) => outcome === 'failed');
				expect(String(result.errorItems[0].json.message)).toContain(failed?.taskId);
			});
		});

		describe('the key', () => {
			test('goes to the base URL only, in the header of the provider, and never to the video files', async () => {
				const { error } = await bench.create(row, { waitForCompletion: true, downloadVideo: true });
				expect(error).toBeUndefined();
				const downloads = bench.requests('download');
				expect(downloads).toHaveLength(1);
				expect(downloads[0].headers).not.toHaveProperty(keyHeaderName);
				const base = new URL(String(bench.credential(row).baseUrl)).pathname;
				for (const request of bench.sandbox.requests.filter((one) => !downloads.includes(one))) {
					expect(request.path.startsWith(`${base}/`)).toBe(true);
					expect(request.headers[keyHeaderName]).toMatch(keyHeader);
				}
			});

			test.each(['create', 'get'] as const)(
				'follows no redirect of a %s to another address',
				async (operation) => {
					const { json } = await bench.create(row);
					bench.sandbox.addFault({
						kind: 'redirect',
						match: { provider, operation },
						location: `${elsewhere.url}/kling/v1/videos/effects`,
					});
					const { error } =
						operation === 'create'
							? await bench.create(row, { image: secondPhoto })
							: await bench.run(row, { operation, taskId: byId(json[0].taskId) });
					expect(error?.message).toBe(`${displayName} redirected the request`);
					expect(error?.description).toContain('Check Base URL in the credential');
					expect(elsewhere.requests).toEqual([]);
					expect(bench.sandbox.charges).toHaveLength(1);
				},
			);

			test('is in no address, no body, no output item and no message', async () => {
				const good = await bench.create(row, { waitForCompletion: true, downloadVideo: true });
				const bad = await bench.create(row, { image: failingPhoto, waitForCompletion: true });
				bench.sandbox.addFault({ kind: 'code', code: 1002, match: { provider } });
				const refused = await bench.create(row);
				const { apiKey, accessKey, secretKey } = bench.credential(row);
				const secrets = [apiKey, accessKey, secretKey].filter(Boolean).map(String);
				expect(secrets).not.toEqual([]);
				const seen = [
					...bench.sandbox.requests.map(({ path, body }) => ({ path, body })),
					...[good, bad, refused].map(({ run }) => run.data.resultData),
				];
				const text = JSON.stringify(seen);
				for (const secret of secrets) expect(text).not.toContain(secret);
				expect(text).not.toContain('Bearer');
			});
		});

		test('an HTTP 401 is not retried, and the message names the key', async () => {
			bench.sandbox.addFault({ kind: 'code', code: 1002, match: { provider } });
			const { error } = await bench.create(row);
			expect(error?.message).toBe(`${displayName} did not accept the key`);
			expect(error?.httpCode).toBe('401');
			expect(bench.posts()).toHaveLength(1);
		});

		test('an account without credit is told so, with no retry', async () => {
			const account = bench.credential(row);
			const isChina = account.region === 'china';
			const poor = account.accessKey
				? bench.sandbox.keys.klingAccess.noBalance
				: { apiKey: bench.sandbox.keys[(isChina ? 'klingChina' : provider) as 'kling'].noBalance };
			const { error } = await bench.create(row, {}, { credential: { ...account, ...poor } });
			expect(error?.message).toBe(`The ${displayName} account has no credit left`);
			expect(bench.sandbox.charges).toEqual([]);
			expect(bench.posts().filter(({ status }) => status !== 404)).toHaveLength(1);
		});
	});
}
