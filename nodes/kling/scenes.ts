import catalogue from './scenes.json';
import wordsInUse from './sceneWords.json';

export type EffectType = 'single' | 'dual';

/** A scene that Kling or a reseller has named. Providers add and withdraw scenes monthly. */
export interface Scene {
	/** As providers want it, byte for byte: one name has a typographic apostrophe. */
	name: string;
	/** For people: “Hug Pro”. */
	title: string;
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

/** Kling's own page of its current effects and their prices. It has no address for a single effect. */
export const effectsPage = 'https://kling.ai/document-api/video-effect-price';

interface CatalogueRow {
	scene: string;
	images: number;
	kling: string[];
	withdrawn?: boolean;
}

const rows: CatalogueRow[] = catalogue;
const newestOf = (lists: string[]) => [...lists].sort().at(-1) ?? '';
const newestList = newestOf(rows.flatMap(({ kling }) => kling));
const order: Array<Scene['standing']> = ['current', 'older', 'reseller', 'withdrawn'];

/** Words of names that capitalising alone would not make readable. */
const spellings: Record<string, string> = {
	'3d': '3D',
	arg: 'Argentina',
	bra: 'Brazil',
	c4d: 'C4D',
	dj: 'DJ',
	fra: 'France',
	ootd: 'OOTD',
	por: 'Portugal',
	pumpitup: 'Pump It Up',
	var: 'VAR',
};

/** All known scenes, the newest list first. */
export const scenes: readonly Scene[] = rows
	.map((row) => {
		const listedIn = newestOf(row.kling);
		return {
			name: row.scene,
			title: titleOf(row.scene),
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

function titleOf(name: string): string {
	const words = name.replace(/_9_16$/, '_9:16').split('_');
	return words
		.map((word) => spellings[word] ?? `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
		.join(' ');
}

/** For comparing only: lower case, blanks for underscores and hyphens, one kind of apostrophe. */
function plain(text: string): string {
	return text
		.toLowerCase()
		.replace(/[_\s-]+/g, ' ')
		.replace(/[‘’]/g, "'")
		.trim();
}

const byName = new Map(scenes.map((scene) => [scene.name, scene]));
/** Also by how people write a name; of two that read the same, the one of the newer list. */
const byPlain = new Map(
	[...scenes]
		.reverse()
		.flatMap((scene) => [scene.title, scene.name].map((text) => [plain(text), scene] as const)),
);

/** The name to send for what a user entered: “Hug Pro” and “hug-pro” are hug_pro; unknown names stay as they are. */
export function sceneNameOf(entered: string): string {
	const name = entered.trim();
	return byName.has(name) ? name : (byPlain.get(plain(name))?.name ?? name);
}

/** How many images a scene takes, where a list of Kling's says so. */
export function effectTypeOf(name: string): EffectType | null {
	const scene = byName.get(name);
	return scene && scene.standing !== 'reseller' ? scene.effectType : null;
}

/** What to try when a provider has refused a scene: why it may have, and the name that was probably meant. */
export function adviceOn(name: string): string | null {
	const suggestion = suggestScene(name);
	if (byName.get(name)?.standing === 'withdrawn') {
		return `Kling has withdrawn ${name}.${suggestion ? ` Try ${suggestion} instead.` : ''}`;
	}
	return byName.has(name) || suggestion === null ? null : `Did you mean ${suggestion}?`;
}

/** The scene that a name which is unknown or withdrawn was probably meant to be. */
export function suggestScene(name: string): string | null {
	const wanted = plain(name);
	const offered = scenes.filter(({ standing }) => standing !== 'withdrawn');
	const successor = offered.find((scene) => plain(scene.name) === `${wanted} pro`);
	if (successor) return successor.name;
	let nearest: Scene | null = null;
	// A third of the letters may differ: more, and the suggestion would be a guess.
	let least = Math.floor(wanted.length / 3) + 1;
	for (const scene of offered) {
		const edits = editsBetween(wanted, plain(scene.name));
		if (edits > 0 && edits < least) [nearest, least] = [scene, edits];
	}
	return nearest?.name ?? null;
}

/** Levenshtein's distance: letters to add, remove or replace. */
function editsBetween(from: string, to: string): number {
	let above = Array.from({ length: to.length + 1 }, (_, column) => column);
	for (const [row, letter] of [...from].entries()) {
		const line = [row + 1];
		for (let column = 0; column < to.length; column++) {
			const replaced = above[column] + (letter === to[column] ? 0 : 1);
			line.push(Math.min(replaced, above[column + 1] + 1, line[column] + 1));
		}
		above = line;
	}
	return above[to.length];
}

/**
 * The scenes that fit a search and can be had, those whose names fit best first, and of these the
 * newest list first.
 *
 * @param text words that must all fit: parts of the name, or other words for it such as “money” or
 * “birthday”
 */
export function searchScenes({
	text = '',
	effectType,
}: { text?: string; effectType?: EffectType } = {}): Scene[] {
	const words = plain(text).split(' ').filter(Boolean);
	return scenes
		.filter((scene) => scene.standing !== 'withdrawn')
		.filter((scene) => effectType === undefined || scene.effectType === effectType)
		.map((scene) => ({ scene, rank: Math.max(0, ...words.map((word) => rankOf(scene, word))) }))
		.filter(({ rank }) => rank <= worstRank)
		.sort((a, b) => a.rank - b.rank)
		.map(({ scene }) => scene);
}

const worstRank = 2;

/** 0 when a word of the name begins with it, 1 when it is elsewhere in the name, 2 when it is another word for it. */
function rankOf({ name, title }: Scene, word: string): number {
	const text = `${plain(name)} ${plain(title)}`;
	const own = text.split(' ');
	if (own.some((one) => one.startsWith(word))) return 0;
	if (text.includes(word)) return 1;
	const isMeant = meantBy(word).some((other) => other === name || own.includes(other));
	return isMeant ? worstRank : Infinity;
}

/** The words of names, and whole names, that a word of everyday language stands for. */
function meantBy(word: string): string[] {
	const isWord = (known: string) =>
		[known, `${known}s`, `${known}es`].includes(word) ||
		(word.length > 2 && known.startsWith(word));
	return Object.entries(wordsInUse).flatMap(([known, others]) =>
		isWord(known) ? others.split(' ') : [],
	);
}
