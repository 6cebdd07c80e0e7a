import scenes from './scenes.json';

/** One effect scene, from Kling's dated lists and the resellers' pages (`scenes.json`). */
export interface Scene {
	scene: string;
	/** How many pictures it takes. */
	images: number;
	/** Kling's lists that name it. */
	kling: string[];
	/** Whether Kling announced its end, or dropped it from the lists that Kling's effects page shows. */
	withdrawn?: boolean;
}

const byName = new Map<string, Scene>((scenes as Scene[]).map((scene) => [scene.scene, scene]));

/** A scene under exactly this name. */
export function findScene(name: string): Scene | undefined {
	return byName.get(name);
}

/** Whether Kling itself still takes the scene. Resellers go on accepting it (CometAPI's effects page: `hug`). */
export function soldByKling(scene: Scene): boolean {
	return scene.kling.length > 0 && !scene.withdrawn;
}
