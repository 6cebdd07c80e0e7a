import type { Figures, Result } from './figures';
import type { Target } from './row';

const heads = [
	'Benchmark',
	'Measured',
	'Ideal',
	'Kling Effects',
	'× ideal (worst)',
	'Beside: n8n’s own nodes',
	'× beside (worst)',
	'Target',
	'',
];

/** The results as one Markdown table, each figure as its median and the spread of all runs. */
export function tableOf(results: readonly Result[]): string {
	const rows = results.map((result) => [
		result.benchmark,
		`${result.what} (${result.unit})`,
		result.ideal === undefined ? '–' : amount(result.ideal),
		spread(result.figures, result.ours.length),
		ratio(result.toIdeal),
		result.beside && result.besideFigures
			? `${result.beside.name}: ${spread(result.besideFigures, result.beside.values.length)}`
			: '–',
		ratio(result.toBeside),
		result.target ? targetText(result.target) : '–',
		result.verdict ?? '–',
	]);
	const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
	return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Notes on single rows. */
export function notesOf(results: readonly Result[]): string {
	const notes = results.filter(({ note }) => note);
	return notes.map(({ benchmark, what, note }) => `- ${benchmark}, ${what}: ${note}`).join('\n');
}

function spread({ median, min, max }: Figures, runs: number): string {
	if (min === max) return runs > 1 ? `${amount(median)} (${runs} runs)` : amount(median);
	return `${amount(median)} (${amount(min)}–${amount(max)}, ${runs} runs)`;
}

function ratio(value: { median: number; worst: number } | null): string {
	return value ? `${times(value.median)} (${times(value.worst)})` : '–';
}

function times(value: number): string {
	return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

function targetText({ bound, kind, of }: Target): string {
	const sign = { atMost: '≤', below: '<', exactly: '=' }[kind];
	return `${sign} ${of ? `${bound} × ${of}` : amount(bound)}`;
}

/** Three significant digits, with thousands separated. */
function amount(value: number): string {
	const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : value < 10 ? 2 : 1;
	return value.toLocaleString('en', { maximumFractionDigits: digits });
}
