// Compiles AssemblyScript for the bundler and for the tests: `import base64 from './kernels.ts?wasm'`.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/qdiff', import.meta.url));
/** One memory for all threads, of at most 4 GiB. */
const OPTIONS =
  '-O3 --noAssert --runtime stub --enable simd --enable threads --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536';

/** What `?wasm-relaxed` adds: not every Node takes such a module. */
export const RELAXED = ['--enable', 'relaxed-simd'];

/** A file of AssemblyScript and those of the folder of its name, by path from where it stands. */
export function sourcesOf(file) {
  const name = basename(file, '.ts');
  const folder = join(dirname(file), name);
  const parts = existsSync(folder) ? readdirSync(folder).sort() : [];
  const paths = [`${name}.ts`, ...parts.map((part) => `${name}/${part}`)];
  return new Map(paths.map((path) => [path, readFileSync(join(dirname(file), path), 'utf8')]));
}

/** A module that exports the compiled file, base64. Kept by the hash of its sources: the compiler takes seconds to load. */
async function exported(source, more) {
  const sources = sourcesOf(source);
  const all = JSON.stringify([OPTIONS, more, ...sources]);
  const file = join(cache, `${createHash('sha256').update(all).digest('hex')}.wasm`);
  let wasm;
  try {
    wasm = readFileSync(file);
  } catch {
    wasm = Buffer.from(await compile(sources, more));
    mkdirSync(cache, { recursive: true });
    writeFileSync(file, wasm);
  }
  return `export default ${JSON.stringify(wasm.toString('base64'))};`;
}

/** The bytes of the first of these files, which imports the others. */
export async function compile(sources, more = []) {
  const { default: asc } = await import('assemblyscript/asc');
  const [entry] = sources.keys();
  let wasm;
  const { error, stderr } = await asc.main([entry, '--outFile', 'out.wasm', ...OPTIONS.split(' '), ...more], {
    readFile: (wanted) => sources.get(wanted) ?? null,
    writeFile: (_name, contents) => {
      wasm = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${entry}: ${stderr.toString()}`);
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
