// eslint-disable-next-line no-restricted-imports
import * as zod from 'zod';

test('zod is version 4 in this run', () => {
	expect(zod).toHaveProperty('toJSONSchema');
});
