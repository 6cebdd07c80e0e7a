import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import explained from '../mutation/explained.json';

test.each(explained)('$file: an explained change is still in the sources', ({ file, line }) => {
	const source = readFileSync(join(__dirname, '../..', file), 'utf8');
	expect(source.split('\n').map((each) => each.trim())).toContain(line);
});
