// Compiles AssemblyScript for the bundler and for the tests: `import base64 from './kernels.ts?wasm'`.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/qdiff', import.meta.url));
/** One memory for all threads, of at most 4 GiB. */
const OPTIONS =
  '-O3 --noAssert --runtime stub --enable simd --enable threads --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536';

/** What `?wasm-relaxed` adds: not every Node takes such a module. */
export const RELAXED = ['--enable', 'relaxed-simd'];

/** A module that exports the compiled file, base64. Kept by the hash of its source: the compiler takes seconds to load. */
async function exported(source, more) {
  const text = readFileSync(source, 'utf8');
  const file = join(
    cache,
    `${createHash('sha256').update(OPTIONS).update(more.join()).update(text).digest('hex')}.wasm`,
  );
  let wasm;
  try {
    wasm = readFileSync(file);
  } catch {
    wasm = Buffer.from(await compile(basename(source), text, more));
    mkdirSync(cache, { recursive: true });
    writeFileSync(file, wasm);
  }
  return `export default ${JSON.stringify(wasm.toString('base64'))};`;
}

/** The bytes of one file of AssemblyScript. */
export async function compile(name, text, more = []) {
  const { default: asc } = await import('assemblyscript/asc');
  let wasm;
  const { error, stderr } = await asc.main([name, '--outFile', 'out.wasm', ...OPTIONS.split(' '), ...more], {
    readFile: (wanted) => (wanted === name ? text : null),
    writeFile: (_name, contents) => {
      wasm = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${name}: ${stderr.toString()}`);
  return wasm;
}

/** For rolldown, and for vite in the tests. */
export const assemblyscript = {
  name: 'assemblyscript',
  enforce: 'pre',
  load(id) {
    const [source, query] = id.split('?');
    if (query === 'wasm') return exported(source, []);
    return query === 'wasm-relaxed' ? exported(source, RELAXED) : undefined;
  },
};
