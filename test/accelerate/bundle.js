// The table of products as a script of its own, for a Node or with flags that the tests do not run in.
import { build } from 'esbuild';
import { esbuildPlugin } from '../../src/accelerate/assembly/compile.js';

/** Writes `source`, which imports './cases.ts', with all that it needs to the CommonJS file `outfile`. */
export function bundleCases(source, outfile) {
  return build({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    plugins: [esbuildPlugin],
  });
}
