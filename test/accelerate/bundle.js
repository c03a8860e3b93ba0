// The table of products as a script of its own, for a Node or with flags that the tests do not run in.
import { join } from 'node:path';
import { build } from 'rolldown';
import { assemblyscript } from '../../src/accelerate/assembly/compile.js';

/** Writes `source`, which imports './cases.ts', with all that it needs to the CommonJS file `outfile`. */
export function bundleCases(source, outfile) {
  const input = join(import.meta.dirname, 'source.ts'); // not on the disk
  const inMemory = {
    name: 'in-memory',
    resolveId: (id) => (id === input ? id : null),
    load: (id) => (id === input ? source : null),
  };
  return build({
    input,
    platform: 'node',
    plugins: [inMemory, assemblyscript],
    output: { file: outfile, format: 'cjs', codeSplitting: false },
  });
}
