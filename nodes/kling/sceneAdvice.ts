import type { Provider } from './providers/provider';
import { plain, sceneNamed, scenes, type Scene } from './scenes';
import { searchScenes } from './sceneSearch';

/** Who refused: the provider, and the account's region if it has regions. */
interface Refuser {
	provider: Pick<Provider, 'isKling'>;
	region: string | null;
}

/** What to try when a provider refuses a scene: the likely reason, and a scene that it should have. */
export function adviceOn(name: string, refuser: Refuser): string | null {
	const scene = sceneNamed(name);
	if (!scene) {
		const meant = suggestScene(name);
		return meant && `Did you mean ${meant}?`;
	}
	const lacksSome = isOfChina(refuser);
	const isOffered = (one: Scene) =>
		one.availability === 'Kling' && !(lacksSome && one.china === false);
	if (isOffered(scene)) return null;
	const reason = reasonFor(scene, refuser);
	if (reason === null) return null;
	// For the same number of photos.
	const isWanted = (one: Scene) => isOffered(one) && one.images === scene.images;
	const successor = sceneNamed(`${name}_pro`);
	const instead =
		successor && isWanted(successor) ? successor : searchScenes({ text: scene.title, isWanted })[0];
	return instead ? `${reason} Try ${instead.name} instead.` : reason;
}

/** Kling's list for China lacks some scenes of the global list. */
function isOfChina({ provider, region }: Refuser): boolean {
	return provider.isKling === true && region === 'china';
}

function reasonFor({ name, availability }: Scene, { provider }: Refuser): string | null {
	if (availability === 'withdrawn') return `Kling has withdrawn ${name}.`;
	if (availability === 'older') return `${name} is no longer in Kling's list.`;
	if (availability === 'Kling') return `Kling's list for China does not have ${name}.`;
	return provider.isKling ? `Only resellers have ${name}, not Kling itself.` : null;
}

/** The scene that was probably meant by an unknown name. */
function suggestScene(given: string): string | null {
	const wanted = plain(given);
	let nearest: Scene | null = null;
	// Up to a third of the letters may differ: beyond that, a suggestion would be a guess.
	let least = Math.floor(wanted.length / 3) + 1;
	for (const scene of scenes) {
		if (scene.availability === 'withdrawn') continue;
		const name = plain(scene.name);
		if (Math.abs(name.length - wanted.length) >= least) continue;
		const edits = editsBetween(wanted, name);
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
