const tickMs = 1000;
const plainReminderMs = 10_000;

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1).padStart(6)} s`;

/** An error whose message is written for the person at the terminal: shown without a stack. */
export class UserError extends Error {}

/**
 * Redraws the line each second on a terminal; elsewhere (CI logs) says now and then that it is still
 * running.
 */
function startTicker(label, startedAt, detail) {
	const stream = process.stdout;
	if (stream.isTTY) {
		const draw = () => stream.write(`\r\x1b[2K… ${seconds(startedAt)}  ${label} ${detail()}`);
		draw();
		const timer = setInterval(draw, tickMs);
		return () => {
			clearInterval(timer);
			stream.write('\r\x1b[2K');
		};
	}
	const remind = () => console.log(`… ${seconds(startedAt)}  ${label} ${detail()}`.trimEnd());
	const timer = setInterval(remind, plainReminderMs);
	return () => clearInterval(timer);
}

/**
 * Runs one step and prints one line for it with the time it took.
 * `work` gets a function with which it can say what it is doing at the moment.
 */
export async function step(label, work) {
	const startedAt = Date.now();
	let current = '';
	const stop = startTicker(label, startedAt, () => current && `(${current})`);
	try {
		const result = await work((text) => {
			current = text;
		});
		stop();
		console.log(`✔ ${seconds(startedAt)}  ${label}`);
		return result;
	} catch (error) {
		stop();
		console.log(`✘ ${seconds(startedAt)}  ${label}`);
		throw error;
	}
}

/** Prints a line that belongs to no step. */
export function say(text = '') {
	console.log(text);
}

/** Runs a command's main function, turns what it throws into a message and exit code 1, and ends. */
export async function main(run) {
	let code = 1;
	try {
		code = (await run()) ?? 0;
	} catch (error) {
		console.error(`\n${error instanceof UserError ? error.message : error.stack}`);
	}
	// Ends at once, even if something still runs: an npm whose neighbor failed, a connection that stays open.
	process.exit(code);
}

/** Rows of text as aligned columns under a header. */
export function table(header, rows) {
	const lines = [header, ...rows].map((row) => row.map((cell) => String(cell ?? '')));
	const widths = header.map((_, column) => Math.max(...lines.map((row) => row[column].length)));
	const format = (row) =>
		row
			.map((cell, column) => cell.padEnd(widths[column]))
			.join('  ')
			.trimEnd();
	return [format(lines[0]), format(widths.map((w) => '─'.repeat(w))), ...lines.slice(1).map(format)]
		.map((line) => `  ${line}`)
		.join('\n');
}
