/** How a photo is bent at one moment. Lengths are shares of its width and height. */
export interface Bend {
	/** How far the middle of the photo is moved; its edges stay where they are. */
	x: number;
	y: number;
	/** Enlargement around the middle. */
	zoom: number;
}

/** A motion over the clip's time, 0 to 1; it ends as it starts, so that the clip can loop. */
export type Motion = (time: number) => Bend;

const turn = Math.PI * 2;

const sway: Motion = (time) => ({
	x: 0.085 * Math.sin(time * turn * 4),
	y: -0.018 * Math.abs(Math.sin(time * turn * 4)),
	zoom: 1.04 + 0.03 * Math.sin(time * turn),
});

const hop: Motion = (time) => {
	const phase = (time * 6) % 1;
	const isUp = phase < 0.7;
	const height = isUp ? Math.sin((phase / 0.7) * Math.PI) : 0;
	const squash = isUp ? 0 : Math.sin(((phase - 0.7) / 0.3) * Math.PI);
	return {
		x: 0.03 * Math.sin(time * turn * 3),
		y: -0.1 * height + 0.03 * squash,
		zoom: 1.05,
	};
};

const zoom: Motion = (time) => ({
	x: 0.02 * Math.sin(time * turn * 2),
	y: 0,
	zoom: 1.16 - 0.14 * Math.cos(time * turn),
});

/** What the words in a scene's name ask for. */
const byWord: Array<[RegExp, Motion]> = [
	[/danc|sway|shake|swing|disco|samba|wiggle|swag|twist|dizzy|headbang|jazz|hip|party|dj/, sway],
	[/jump|hop|bounc|trampoline|pet|fly|kick|ski|skate|ride|run|goal|dunk|football|celebrat/, hop],
];

/** The motion of a one-photo scene. */
export function motionOf(scene: string): Motion {
	return byWord.find(([words]) => words.test(scene))?.[1] ?? zoom;
}

/** How two photos come together at one moment. */
export interface Meeting {
	/** How far each is still away from its place, as a share of its width. */
	apart: number;
	/** How each is bent; towards the other one where `x` is positive. */
	bend: Bend;
}

/** Two photos slide together, and then lean on each other, or push each other. */
export function meetingOf(scene: string): (time: number) => Meeting {
	const isRough = /fight|jealous|punch/.test(scene);
	const met = 0.32;
	/** Players show the first frame before playing: something of both must be visible. */
	const apart = 0.5;
	return (time) => {
		const left = Math.max(0, 1 - time / met);
		const together = Math.max(0, (time - met) / (1 - met));
		const lean = isRough
			? 0.1 * Math.sin(together * turn * 5)
			: 0.1 * Math.sin(Math.min(1, together * 2.2) * (Math.PI / 2)) +
				0.015 * Math.sin(together * turn * 2);
		return {
			apart: apart * left ** 2,
			bend: { x: lean, y: 0.012 * Math.sin(together * turn * 2), zoom: 1.02 + 0.05 * together },
		};
	};
}
