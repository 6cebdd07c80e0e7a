/** A command's option: with `value` it takes a word, otherwise it is a flag. */
export interface Option {
	about: string;
	/** The placeholder for its word in the help. */
	value?: string;
	/** Its value if not given. */
	default?: string | number;
	/** The words it accepts, in any case. */
	oneOf?: readonly string[];
	number?: boolean | 'whole';
	/** Whether it may be given several times. */
	many?: boolean;
}

/** What a command takes, and what its `--help` says. */
export interface CommandLine {
	/** As it is typed: `npm run demo`. */
	command: string;
	about: string;
	options?: Record<string, Option>;
	/** Words that belong to no option. */
	rest?: { name: string; most: number; about: string };
	/** The end of the help. */
	more?: string;
}

type Value = any; // eslint-disable-line @typescript-eslint/no-explicit-any

/**
 * The options of a command line, named in camel case; with `rest`, its other words; or `help: true`.
 *
 * @throws Error that says what is wrong with it
 */
export function readCommandLine(line: CommandLine, args: string[]): Record<string, Value>;

/** What `--help` says. */
export function helpOf(line: CommandLine): string;

/** Reads the command line of this process. Handles `--help`, and exits on anything unknown. */
export function commandLine(line: CommandLine, args?: string[]): Record<string, Value>;
