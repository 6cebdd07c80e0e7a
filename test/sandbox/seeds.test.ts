import type { Sandbox } from '../../sandbox';
import { request, type Reply } from '../harness/sandboxClient';
import { withSandbox } from '../harness/setup';

let sandbox: Sandbox;
withSandbox((started) => (sandbox = started), { modellixPath: 'oldest' });

/** Sends what a provider's page prints as a curl command, to the sandbox and with its key. */
async function curl(command: string, host: string, base: string, key: string): Promise<Reply> {
	const words = [...command.matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s\\'"]+)/g)].map(
		([, single, double, bare]) => single ?? double ?? bare,
	);
	const headers = new Headers();
	const init: RequestInit = { headers };
	let url = '';
	for (let at = 1; at < words.length; at += 1) {
		const word = words[at];
		if (['--request', '-X'].includes(word)) init.method = words[(at += 1)];
		else if (['--header', '-H'].includes(word)) {
			const [, name, value] = /^([^:]+):\s*(.*)$/.exec(words[(at += 1)]) ?? [];
			headers.set(name, value.replace(/<token>|YOUR_API_KEY/, key));
		} else if (['--data', '--data-raw', '-d'].includes(word)) init.body = words[(at += 1)];
		else if (/^https?:/.test(word)) url = word;
	}
	expect(url.startsWith(host)).toBe(true);
	return await request(base + url.slice(host.length), init);
}

test("CometAPI's own example is accepted and answered as recorded", async () => {
	const reply = await curl(
		`curl --request POST \\
  --url https://api.cometapi.com/kling/v1/videos/effects \\
  --header 'Authorization: Bearer <token>' \\
  --header 'Content-Type: application/json' \\
  --data '
{
  "effect_scene": "hug",
  "input": {
    "model_name": "kling-v1-6",
    "mode": "std",
    "images": [
      "https://p2-kling.klingai.com/bs2/upload-ylab-stunt/c54e463c95816d959602f1f2541c62b2.png?x-kcdn-pid=112452",
      "https://p2-kling.klingai.com/bs2/upload-ylab-stunt/5eef15e03a70e1fa80732808a2f50f3f.png?x-kcdn-pid=112452"
    ],
    "duration": "10"
  }
}
'`,
		'https://api.cometapi.com',
		sandbox.baseUrl('cometApi'),
		sandbox.keys.cometApi.main,
	);
	expect(reply.status).toBe(200);
	expect(reply.json).toEqual({
		code: 0,
		message: 'success',
		data: {
			task_id: expect.stringMatching(/^\d{18,19}$/),
			task_status: 'submitted',
			task_info: {},
			created_at: expect.any(Number),
			updated_at: expect.any(Number),
		},
	});
});

test("Kling's own create example is accepted", async () => {
	const reply = await curl(
		`curl --request POST \\
  --url https://api-singapore.klingai.com/v1/videos/effects \\
  --header 'Authorization: Bearer <token>' \\
  --header 'Content-Type: application/json' \\
  --data '{
    "effect_scene": "color_mixing",
    "input": {
      "image": "https://p4-kling.klingai.com/kcdn/cdn-kcdn112452/kling-op/effects_raw_pic/color_mixing.jpeg"
    }
  }'`,
		'https://api-singapore.klingai.com',
		sandbox.baseUrl('kling'),
		sandbox.keys.kling.main,
	);
	expect(reply.status).toBe(200);
	expect(reply.json).toEqual({
		code: 0,
		message: 'SUCCEED',
		request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
		data: {
			task_id: expect.stringMatching(/^\d{18,19}$/),
			task_status: 'submitted',
			task_info: {},
			created_at: expect.any(Number),
			updated_at: expect.any(Number),
		},
	});
});

test("Kling's own query examples are answered", async () => {
	const [task] = sandbox.tasks.filter(({ provider }) => provider === 'kling');
	const single = await curl(
		`curl --request GET \\
  --url https://api-singapore.klingai.com/v1/videos/effects/${task.taskId} \\
  --header 'Authorization: Bearer <token>' \\
  --header 'Content-Type: application/json'`,
		'https://api-singapore.klingai.com',
		sandbox.baseUrl('kling'),
		sandbox.keys.kling.main,
	);
	expect(single.json.data).toMatchObject({ task_id: task.taskId });
	const list = await curl(
		`curl --request GET \\
  --url 'https://api-singapore.klingai.com/v1/videos/effects?pageNum=1&pageSize=30' \\
  --header 'Authorization: Bearer <token>' \\
  --header 'Content-Type: application/json'`,
		'https://api-singapore.klingai.com',
		sandbox.baseUrl('kling'),
		sandbox.keys.kling.main,
	);
	expect(list.json.data).toEqual([expect.objectContaining({ task_id: task.taskId })]);
});

test("KKIAI's own example, empty strings included, is accepted", async () => {
	const reply = await curl(
		`curl --location --request POST 'https://www.kkiai.com/kling/v1/videos/effects' \\
--header 'Authorization: Bearer <token>' \\
--header 'Content-Type: application/json' \\
--data-raw '{
"effect_scene": "balloon_parade",
"input": {
"duration": "5",
"image": "https://p2-kling.klingai.com/kcdn/cdn-kcdn112452/kling-op/effects_pic/balloon_parade.jpeg"
},
"callback_url": "",
"external_task_id": ""
}'`,
		'https://www.kkiai.com',
		sandbox.baseUrl('kkiai'),
		sandbox.keys.kkiai.main,
	);
	expect(reply.status).toBe(200);
	expect(reply.json).toMatchObject({ code: 0, data: { task_info: {} } });
});

test("Modellix's own example is accepted and answered as printed", async () => {
	const reply = await curl(
		`curl --request POST \\
  --url https://api.modellix.ai/api/v1/image-to-video/kling/kling-video-effects/async \\
  --header 'Authorization: Bearer <token>' \\
  --header 'Content-Type: application/json' \\
  --data '
{
  "effect_scene": "pet_lion_pro",
  "image": "https://example.com/image.jpg"
}
'`,
		'https://api.modellix.ai',
		sandbox.baseUrl('modellix'),
		sandbox.keys.modellix.main,
	);
	expect(reply.json).toEqual({
		code: 0,
		message: 'success',
		data: {
			status: 'pending',
			task_id: expect.stringMatching(/^task-/),
			model_id: 'kling-video-effects',
		},
	});
});

test("APIModels' own example is accepted and answered as printed", async () => {
	const reply = await curl(
		`curl -X POST https://apimodels.app/api/v1/video/generations \\
-H "Authorization: Bearer YOUR_API_KEY" \\
-H "Content-Type: application/json" \\
-d '{
"model": "kling-effects",
"effect_scene": "balloon_parade",
"input": {
"image": "https://example.com/person.jpg"
}
}'`,
		'https://apimodels.app',
		sandbox.baseUrl('apiModels'),
		sandbox.keys.apiModels.main,
	);
	expect(reply.json).toEqual({
		code: 200,
		msg: 'success',
		data: {
			taskId: expect.stringMatching(/^cl/),
			state: 'pending',
			model: 'kling-video/kling-effects',
		},
	});
});
