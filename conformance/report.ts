import type { Provider } from '../nodes/kling/providers/provider';
import type { Probe } from './probe';
import { affordable, type Result } from './run';

/** What a run may spend, said before it begins. */
export function announce(
	{ displayName }: Provider,
	probes: readonly Probe[],
	spend: number,
): string {
	const paid = affordable(probes, spend);
	const free = probes.filter(({ cost }) => cost === 'free').length;
	const left = probes.length - free - paid.length;
	const lines = [
		`${displayName}: ${free} free probes, and ${paid.length} that can each cost a task.`,
		...paid.map(({ fact }) => `  may cost a task: ${fact}`),
		...(left > 0 ? [`  ${left} more would need --spend ${paid.length + left}`] : []),
	];
	return lines.join('\n');
}

/** The table of a run, as Markdown. */
export function tableOf(results: readonly Result[]): string {
	const rows = results.map(({ probe, expected, observed, verdict }) => [
		`${probe.fact} (${probe.source})`,
		expected,
		observed,
		verdict,
	]);
	return [['fact', 'expected', 'observed', 'verdict'], ['---', '---', '---', '---'], ...rows]
		.map((row) => `| ${row.map(cell).join(' | ')} |`)
		.join('\n');
}

function cell(text: string): string {
	return text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
}

/** The closing line that `.ci/run` adds up. */
export function summary(results: readonly Result[]): string {
	const count = (verdict: Result['verdict']) =>
		results.filter((result) => result.verdict === verdict).length;
	const unasked = count('not asked');
	const note = unasked > 0 ? `${unasked} not asked\n` : '';
	return `${note}${count('same')} passed, ${count('different')} failed`;
}
