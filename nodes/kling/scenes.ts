import catalogue from './scenes.json';

export type EffectType = 'single' | 'dual';

/** A scene that Kling or a reseller has named. Providers add and withdraw scenes monthly. */
export interface Scene {
	name: string;
	effectType: EffectType;
	/**
	 * - `current`: in Kling's newest list.
	 * - `older`: only in an earlier list of Kling's; resellers may still have it.
	 * - `withdrawn`: Kling has ended it.
	 * - `reseller`: no list of Kling's names it.
	 */
	standing: 'current' | 'older' | 'withdrawn' | 'reseller';
	/** Year and month of the newest list of Kling's that names it, empty when none does. */
	listedIn: string;
}

interface CatalogueRow {
	scene: string;
	images: number;
	kling: string[];
	withdrawn?: boolean;
}

const rows: CatalogueRow[] = catalogue;
const newestList =
	rows
		.flatMap(({ kling }) => kling)
		.sort()
		.at(-1) ?? '';
const order: Array<Scene['standing']> = ['current', 'older', 'reseller', 'withdrawn'];

/** All known scenes, the newest list first. Names are kept byte for byte: one has a typographic apostrophe. */
export const scenes: readonly Scene[] = rows
	.map((row) => {
		const listedIn = [...row.kling].sort().at(-1) ?? '';
		return {
			name: row.scene,
			effectType: row.images === 2 ? ('dual' as const) : ('single' as const),
			standing: standingOf(row, listedIn),
			listedIn,
		};
	})
	.sort((a, b) => order.indexOf(a.standing) - order.indexOf(b.standing));

function standingOf(row: CatalogueRow, listedIn: string): Scene['standing'] {
	if (row.withdrawn) return 'withdrawn';
	if (listedIn === '') return 'reseller';
	return listedIn === newestList ? 'current' : 'older';
}

/** The scenes of one effect type whose name holds every word of the search text, in any spelling of blanks. */
export function searchScenes(effectType: EffectType, filter = ''): Scene[] {
	const wanted = plain(filter).split(' ').filter(Boolean);
	return scenes.filter(
		(scene) =>
			scene.effectType === effectType && wanted.every((word) => plain(scene.name).includes(word)),
	);
}

/** For comparing only: lower case, blanks for underscores, one kind of apostrophe. */
function plain(text: string): string {
	return text
		.toLowerCase()
		.replace(/[_\s]+/g, ' ')
		.replace(/[‘’]/g, "'")
		.trim();
}

/** How many images a scene takes, where a list of Kling's says so. */
export function effectTypeOf(name: string): EffectType | null {
	const scene = scenes.find((one) => one.name === name);
	return scene && scene.standing !== 'reseller' ? scene.effectType : null;
}
