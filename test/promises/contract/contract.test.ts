import { keepsPromises } from './promises';
import { rows } from './providers';

keepsPromises(rows);
