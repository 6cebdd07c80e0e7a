import { idOf } from '../../../nodes/kling/input';

test.each([
	'8.76E+17',
	'8,76E+17',
	'842163450012345678e+0',
	// Java's, and a number column of pandas.
	'8.421634500123457E17',
	'842163450012345728.0',
	Number('842163450012345678'),
	1.5,
	NaN,
])('%s is a number that has lost digits', (given) => {
	expect(() => idOf(given, 'Task ID')).toThrow(/^Task ID has lost digits/);
});

test.each(['undefined', 'null', 'NaN', '[object Object]', '#N/A', '#REF!', '#NAME?', ' null '])(
	'%s stands where a value is missing: as an ID, all items would share it',
	(given) => {
		expect(() => idOf(given, 'External Task ID')).toThrow(/which means that there is no value$/);
	},
);

test.each(['\u200b842163450012345678', '842163450012345678\u2060', '8421634500\u00ad12345678'])(
	'an invisible character in %j is reported by its number',
	(given) => {
		expect(() => idOf(given, 'Task ID')).toThrow(/contains an invisible character \(U\+/);
	},
);

test.each([
	'842163450012345678',
	'1e10',
	'7E12',
	'order-1.0',
	'null-1',
	'#12',
	'a\u0301',
	'0x1F',
	'\u2764\ufe0f',
])('%s is an ID as it is', (given) => expect(idOf(given, 'Task ID')).toBe(given));
