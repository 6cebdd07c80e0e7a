import { plain, scenes, type Scene } from './scenes';
import wordsInUse from './sceneWords.json';

/** What an everyday word finds: names with the word itself, then with the words it stands for, in order. */
interface Meaning {
	/** The word, its synonyms and translations. One with `*` also matches longer words. */
	words: string[];
	stem: string;
	/** Words in names, and whole names. */
	names: string[];
}

const listOf = (text: string) => text.split(', ').filter(Boolean).map(plain);
const meanings: Meaning[] = Object.entries(wordsInUse).map(([word, { also, names }]) => {
	const words = [word, ...listOf(also)];
	return { words, stem: stemOf(word), names: [word, ...listOf(names)] };
});
const known = meanings.flatMap(({ words }) => words.map((word) => word.replace('*', '')));
const byLength = (a: string, b: string) => b.length - a.length;
/** Several words that belong together, such as “new year”. */
const phrases = known.filter((word) => word.includes(' ')).sort(byLength);
/** Chinese and Japanese have no blanks between words. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const unspacedWords = known.filter((word) => unspaced.test(word)).sort(byLength);

/** Filler words, and words that fit every scene. */
const fillers = new Set(
	(
		'a an the my your our his her this that and or of for with to in on at is are as me i ' +
		'der die das ein eine mein meine und mit von fur im el los las un una mi y con del o os um uma ' +
		'meu minha com do da le les une mon ma et avec du des de la en qui video videos clip clips effect ' +
		'cute nice cool best beautiful effects scene scenes photo photos picture pictures image images foto fotos make create'
	).split(' '),
);

interface Indexed {
	scene: Scene;
	name: string;
	title: string;
	words: string[];
	stems: string[];
	/**
	 * An older scene ranks below a current one that fits slightly less; among equals, the shortest name
	 * comes first.
	 */
	handicap: number;
}

const index: Indexed[] = scenes
	.filter(({ availability }) => availability !== 'withdrawn')
	.map((scene) => {
		const [name, title] = [plain(scene.name), plain(scene.title)];
		const words = [...new Set(`${name} ${title}`.split(' '))];
		const handicap = (scene.availability === 'Kling' ? 0 : 1.5) + name.split(' ').length / 1000;
		return { scene, name, title, words, stems: words.map(stemOf), handicap };
	});
const vocabulary = [...new Set([...known, ...index.flatMap(({ words }) => words)])];

/**
 * The available scenes that match a search, best matches first; scenes that only resellers have come
 * last, unless the text is the name of one. If no scene matches all words, those that match most.
 *
 * @param text words: parts of a name, or what people call it, such as “money” or “Geburtstag”
 * @param isWanted a further condition for the scenes
 */
export function searchScenes({
	text = '',
	isWanted = () => true,
}: { text?: string; isWanted?: (scene: Scene) => boolean } = {}): Scene[] {
	const wanted = plain(text);
	const offered = index.filter(({ scene }) => isWanted(scene));
	if (wanted === '') return offered.map(({ scene }) => scene);
	const ranks = tokensOf(wanted)
		.slice(0, mostTokens)
		.map((token) => ranksOf(token, offered));
	const found = offered.map(({ scene, name, title, handicap }, place) => {
		const fitting = ranks.map((each) => each[place]).filter(Number.isFinite);
		const isMeant = name === wanted || title === wanted;
		const isLast = scene.availability === 'resellers only' && !isMeant;
		const rank = isMeant ? -1 : fitting.reduce((sum, each) => sum + each, handicap);
		return { scene, fitting: fitting.length, isLast, rank };
	});
	const most = Math.max(1, ...found.map(({ fitting }) => fitting));
	return found
		.filter(({ fitting }) => fitting === most)
		.sort((a, b) => Number(a.isLast) - Number(b.isLast) || a.rank - b.rank)
		.map(({ scene }) => scene);
}

/** The words of a plain text, with phrases counted as one word. */
function tokensOf(text: string): string[] {
	let rest = ` ${text} `;
	const found: string[] = [];
	for (const phrase of phrases) {
		if (!rest.includes(` ${phrase} `)) continue;
		found.push(phrase);
		rest = rest.replace(` ${phrase} `, ' ');
	}
	const words = rest.split(/[^\p{L}\p{M}\p{N}':]+/u).filter(Boolean);
	const tokens = words.flatMap((word) => (unspaced.test(word) ? partsOf(word) : [word]));
	const telling = [...found, ...tokens.filter((word) => !fillers.has(word))];
	return telling.length > 0 ? telling : tokens;
}

/** The known words in a text without blanks; the text itself if there are none. */
function partsOf(text: string): string[] {
	let rest = text;
	const found = unspacedWords.filter((word) => {
		const isThere = rest.includes(word);
		if (isThere) rest = rest.replace(word, ' ');
		return isThere;
	});
	return found.length > 0 ? found : [text];
}

/** An agent may search for a whole page of text. */
const mostTokens = 12;
/** After all others: a mistyped word. */
const mistyped = 4;

/** How well a word matches each scene: 0 is best, Infinity means not at all. */
function ranksOf(token: string, offered: readonly Indexed[]): number[] {
	const asTyped = ranksAsTyped(token, offered);
	if (asTyped.some(Number.isFinite) || token.length < 4) return asTyped;
	const meant = vocabulary.filter((word) =>
		[word, `${word}s`, `${stemOf(word)}ing`].some((form) => isOneEditFrom(token, form)),
	);
	const ranks = meant.map((word) => ranksAsTyped(word, offered));
	return offered.map((_, place) => mistyped + Math.min(...ranks.map((each) => each[place])));
}

function ranksAsTyped(token: string, offered: readonly Indexed[]): number[] {
	const stem = stemOf(token);
	const isMeant = ({ words, stem: own }: Meaning) =>
		own === stem || words.some((word) => isFormOf(token, word));
	const isBegun = ({ words }: Meaning) => words.some((word) => isBeginningOf(token, word));
	const meant = meanings.filter(isMeant);
	const begun = meanings.filter(isBegun);
	return offered.map((scene) => {
		const { name, words, stems } = scene;
		if (has(scene, token)) return 0;
		const place = placeIn(meant, scene);
		if (place !== null) return 1 + place / 100;
		if (stems.includes(stem)) return 1.5;
		if (words.some((word) => word.startsWith(token))) return 2;
		const begunPlace = placeIn(begun, scene);
		if (begunPlace !== null) return 2.5 + begunPlace / 100;
		return token.length > 2 && name.replaceAll(' ', '').includes(token) ? 3 : Infinity;
	});
}

/** Whether a scene's name has this word, or these words in a row. */
function has({ name, words }: Indexed, word: string): boolean {
	return words.includes(word) || ` ${name} `.includes(` ${word} `);
}

/** The first position at which one of the meanings names the scene. */
function placeIn(meant: readonly Meaning[], scene: Indexed): number | null {
	const places = meant.map(({ names }) => names.findIndex((name) => has(scene, name)));
	const found = places.filter((place) => place >= 0);
	return found.length > 0 ? Math.min(...found) : null;
}

function isFormOf(token: string, word: string): boolean {
	return word === token || (word.endsWith('*') && token.startsWith(word.slice(0, -1)));
}

function isBeginningOf(token: string, word: string): boolean {
	return word.startsWith(token) && (token.length > 2 || unspaced.test(token));
}

/** The stem of an English word: “danc” for dance, dances, danced, dancing and dancer. */
function stemOf(word: string): string {
	const bare = word.replace(/'s$/, '').replace(/([^s])s$/, '$1');
	const stem = bare.replace(/(ing|ion|ed|er|e)$/, '');
	if (!/[aeiouy]/.test(stem) || stem.length < 2) return bare;
	return stem.replace(/([^aeiouls])\1$/, '$1').replace(/ie$|i$/, 'y');
}

/** Whether adding, removing or changing one letter, or swapping two neighbors, turns a text into a word. */
function isOneEditFrom(text: string, word: string): boolean {
	let same = 0;
	while (same < text.length && text[same] === word[same]) same++;
	const [a, b] = [text.slice(same), word.slice(same)];
	if (a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1)) return true;
	return a.slice(2) === b.slice(2) && a[0] === b[1] && a[1] === b[0];
}
