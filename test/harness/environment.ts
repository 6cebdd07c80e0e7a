import '../../tools/environment';
import fc from 'fast-check';

// The same random cases in each run, so that a red run can be repeated; FUZZ_SEED tries others.
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 20_260_101) });
