// CommonJS: scripts that run before anything is installed use it, and so do commands and tests in TypeScript.
const { parseArgs } = require('node:util');

const helpOption = { about: 'this text' };

/** For comparing only: `cometapi` and `Comet API` mean `cometApi`. */
const folded = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, '');

const camelCase = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

function valueOf(name, { oneOf, number }, text) {
	if (oneOf) {
		const found = oneOf.find((one) => folded(one) === folded(text));
		if (found === undefined) throw new Error(`--${name} must be one of ${oneOf.join(', ')}`);
		return found;
	}
	if (!number) return text;
	const value = Number(text);
	const isWhole = number === 'whole';
	if (text.trim() === '' || !(value >= 0) || (isWhole && !Number.isSafeInteger(value))) {
		throw new Error(`--${name} must be a ${isWhole ? 'whole ' : ''}number`);
	}
	return value;
}

function rawValues({ options = {}, rest }, args) {
	const known = Object.entries({ ...options, help: helpOption }).map(([name, { value, many }]) => [
		name,
		{ type: value ? 'string' : 'boolean', multiple: many ?? false },
	]);
	try {
		return parseArgs({
			args,
			options: Object.fromEntries(known),
			allowPositionals: Boolean(rest),
		});
	} catch (error) {
		// Its second sentence is about words that start with a dash.
		throw new Error(error.message.split('. ')[0]);
	}
}

/** The options of a command line, named in camel case; with `rest`, its other words; or `help: true`. */
exports.readCommandLine = function readCommandLine(line, args) {
	const { values, positionals } = rawValues(line, args);
	if (values.help) return { help: true };
	const read = { help: false };
	for (const [name, option] of Object.entries(line.options ?? {})) {
		const given = values[name];
		const one = (text) => valueOf(name, option, text);
		if (!option.value) read[camelCase(name)] = given ?? false;
		else if (option.many) read[camelCase(name)] = given?.map(one);
		else read[camelCase(name)] = given === undefined ? option.default : one(given);
	}
	if (!line.rest) return read;
	if (positionals.length > line.rest.most) {
		throw new Error(`At most ${line.rest.most} of ${line.rest.name}, not ${positionals.length}`);
	}
	return { ...read, rest: positionals };
};

/** What `--help` says. */
exports.helpOf = function helpOf({ command, about, options = {}, rest, more }) {
	const words = rest ? ` [${rest.name} …]` : '';
	const rows = Object.entries({ ...options, help: helpOption }).map(
		([name, { value, about: does, default: usual }]) => {
			const text = usual === undefined || usual === '' ? does : `${does} (${usual})`;
			return [`--${name}${value ? ` ${value}` : ''}`, text];
		},
	);
	if (rest) rows.unshift([rest.name, rest.about]);
	const width = Math.max(...rows.map(([left]) => left.length));
	const table = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
	const parts = [`Usage: ${command} -- [options]${words}`, about, table.join('\n'), more];
	return `${parts.filter(Boolean).join('\n\n')}\n`;
};

/** Reads the command line of this process. Handles `--help`, and exits on anything unknown. */
exports.commandLine = function commandLine(line, args = process.argv.slice(2)) {
	let read;
	let help;
	try {
		({ help, ...read } = exports.readCommandLine(line, args));
	} catch (error) {
		process.stderr.write(`${error.message}. "${line.command} -- --help" says what it takes.\n`);
		process.exit(1);
	}
	if (!help) return read;
	process.stdout.write(exports.helpOf(line));
	process.exit(0);
};
