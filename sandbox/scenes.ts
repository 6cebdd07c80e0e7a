import scenes from '../nodes/kling/scenes.json';

/** One effect scene: the lists are shared with the nodes as data, what a provider takes of them is not. */
export interface Scene {
	name: string;
	/** As people read it. */
	title: string;
	/** How many pictures it takes. */
	images: number;
	/** `withdrawn`: Kling announced its end, or dropped it from the lists that Kling's effects page shows. */
	availability: string;
}

const byName = new Map<string, Scene>(scenes.map((scene) => [scene.name, scene]));

/** A scene under exactly this name. */
export function findScene(name: string): Scene | undefined {
	return byName.get(name);
}

/**
 * Which scenes a provider takes, where that was seen; a provider not named here takes every scene
 * that a list has named. Acceptance is no promise that the task succeeds.
 */
const rules: Record<string, { source: string; takes(scene: Scene): boolean }> = {
	// Withdrawn scenes are gone from its list, and resellers' names were never in one.
	kling: { source: '6', takes: ({ availability }) => ['Kling', 'older'].includes(availability) },
	// `hug` was accepted six weeks after Kling had withdrawn it (2026-03-13).
	cometApi: { source: 'G2', takes: () => true },
};

/** Whether a provider takes the scene. */
export function isTaken(provider: string, scene: Scene): boolean {
	return rules[provider]?.takes(scene) ?? true;
}
