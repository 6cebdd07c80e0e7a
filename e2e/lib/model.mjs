import { once } from 'node:events';
import { createServer } from 'node:http';
import { after } from 'node:test';

/** A chat model that answers with these messages, one after the other. */
export async function fakeModel(messages) {
	const asked = [];
	const server = createServer(async (request, response) => {
		let text = '';
		for await (const chunk of request) text += chunk;
		asked.push(JSON.parse(text));
		const message = messages[Math.min(asked.length, messages.length) - 1];
		const choice = { index: 0, message: { role: 'assistant', content: '', ...message } };
		choice.finish_reason = message.tool_calls ? 'tool_calls' : 'stop';
		const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
		const answer = { id: 'fake', object: 'chat.completion', created: 1, model: 'fake', usage };
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ ...answer, choices: [choice] }));
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	after(() => server.close());
	return { url: `http://127.0.0.1:${server.address().port}/v1`, asked };
}

/** One tool call of a model's message. */
export function call(id, name, args) {
	return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
}
