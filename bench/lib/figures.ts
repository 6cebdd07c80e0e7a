import type { Row, Target } from './row';

export interface Figures {
	median: number;
	min: number;
	max: number;
	worst: number;
}

/** A row with everything computed from its figures, as in the JSON. */
export interface Result extends Row {
	benchmark: string;
	figures: Figures;
	besideFigures: Figures | null;
	/** Ours as a multiple of the ideal and of the comparison; for the medians and for the worst run. */
	toIdeal: Ratio | null;
	toBeside: Ratio | null;
	verdict: 'met' | 'met, but not by the worst run' | 'missed' | null;
}

interface Ratio {
	median: number;
	worst: number;
}

export function figuresOf(values: readonly number[], moreIsBetter = false): Figures {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	const isOdd = sorted.length % 2 === 1;
	const median = isOdd ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
	const [min, max] = [sorted[0], sorted[sorted.length - 1]];
	return { median, min, max, worst: moreIsBetter ? min : max };
}

export function resultOf(benchmark: string, row: Row): Result {
	const figures = figuresOf(row.ours, row.moreIsBetter);
	const besideFigures = row.beside ? figuresOf(row.beside.values, row.moreIsBetter) : null;
	const toIdeal = ratio(figures, row.ideal);
	const toBeside = ratio(figures, besideFigures?.median);
	const bound = boundOf(row, besideFigures?.median);
	const verdict = row.target && bound !== null ? judge(row.target, bound, figures) : null;
	return { benchmark, ...row, figures, besideFigures, toIdeal, toBeside, verdict };
}

function ratio({ median, worst }: Figures, to: number | undefined): Ratio | null {
	return to ? { median: median / to, worst: worst / to } : null;
}

function boundOf({ target, ideal }: Row, beside: number | undefined): number | null {
	if (!target) return null;
	const unit = target.of === 'ideal' ? ideal : target.of === 'beside' ? beside : 1;
	return unit === undefined ? null : target.bound * unit;
}

function judge(target: Target, bound: number, { median, worst }: Figures): Result['verdict'] {
	const keeps = (value: number) =>
		target.kind === 'exactly'
			? value === bound
			: target.kind === 'below'
				? value < bound
				: value <= bound;
	if (!keeps(median)) return 'missed';
	return keeps(worst) ? 'met' : 'met, but not by the worst run';
}
