import catalogue from './scenes.json';

/** A scene that Kling or a reseller has named. Providers add and withdraw scenes monthly. */
export interface Scene {
	/** As providers expect it, byte for byte: one name has a typographic apostrophe. */
	name: string;
	/** For people: “Hug Pro”. */
	title: string;
	/** How many photos it takes, if one of Kling's lists says so. */
	images: 1 | 2;
	/**
	 * - `Kling`: in Kling's newest list.
	 * - `older`: only in an earlier list by Kling; some providers still have it.
	 * - `resellers only`: in none of Kling's lists.
	 * - `withdrawn`: Kling has discontinued it.
	 */
	availability: 'Kling' | 'older' | 'resellers only' | 'withdrawn';
	/** Year and month of Kling's newest list that has it. */
	listedIn: string | null;
	/** False if it is in Kling's newest list, but not in its newest list for China. */
	china?: false;
}

export type EffectType = 'single' | 'dual';

/** Kling's own page with its current effects and prices. Single effects have no URL. */
export const effectsPage = 'https://kling.ai/document-api/video-effect-price';

/** All known scenes: Kling's newest list first, then older ones, those of resellers, and withdrawn ones. */
export const scenes = catalogue as readonly Scene[];

/** Only for comparing: lower case, no accents, blanks for underscores and hyphens, one kind of apostrophe. */
export function plain(text: string): string {
	return text
		.toLowerCase()
		.normalize('NFKD')
		.replace(/[\u0300-\u036f]/g, '')
		.normalize('NFC')
		.replaceAll('ß', 'ss')
		.replaceAll('œ', 'oe')
		.replace(/[_\s-]+/g, ' ')
		.replace(/[‘’]/g, "'")
		.trim();
}

const byName = new Map(scenes.map((scene) => [scene.name, scene]));
/** By letters and digits only: people and agents write “HugPro”, quotes around "hug_pro", or add an emoji. */
const bare = (text: string) => plain(text).replace(/[^\p{L}\p{N}]/gu, '');
/** If two read the same, the one in the newer list. */
const byBare = new Map(
	[...scenes]
		.reverse()
		.flatMap((scene) => [scene.title, scene.name].map((text) => [bare(text), scene] as const)),
);

/** The scene with exactly this name. */
export function sceneNamed(name: string): Scene | undefined {
	return byName.get(name);
}

/** The name to send for what a user entered: “Hug Pro” and “HugPro” become hug_pro; unknown names stay. */
export function sceneNameOf(entered: string): string {
	const name = entered.trim();
	return byName.has(name) ? name : (byBare.get(bare(name))?.name ?? name);
}

/** How many images a scene takes, if one of Kling's lists says so. */
export function effectTypeOf(name: string): EffectType | null {
	const scene = byName.get(name);
	if (!scene?.listedIn) return null;
	return scene.images === 2 ? 'dual' : 'single';
}
