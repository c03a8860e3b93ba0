// Compiles kernels.ts to WebAssembly, for the bundler and for the tests, and makes `import bytes from './kernels.ts?wasm'` work.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('kernels.ts', import.meta.url));
const cache = fileURLToPath(new URL('../../../node_modules/.cache/qdiff', import.meta.url));
/** One memory for all threads, of at most 4 GiB. */
const OPTIONS =
  '-O3 --noAssert --runtime stub --enable simd --enable threads --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536';

/** The module, base64. Kept by the hash of its source: the compiler takes seconds to load. */
async function compiled() {
  const text = readFileSync(source, 'utf8');
  const file = join(cache, `${createHash('sha256').update(OPTIONS).update(text).digest('hex')}.wasm`);
  try {
    return readFileSync(file).toString('base64');
  } catch {
    const wasm = await compile(text);
    mkdirSync(cache, { recursive: true });
    writeFileSync(file, wasm);
    return Buffer.from(wasm).toString('base64');
  }
}

async function compile(text) {
  const { default: asc } = await import('assemblyscript/asc');
  let wasm;
  const { error, stderr } = await asc.main(['kernels.ts', '--outFile', 'kernels.wasm', ...OPTIONS.split(' ')], {
    readFile: (name) => (name === 'kernels.ts' ? text : null),
    writeFile: (_name, contents) => {
      wasm = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`kernels.ts: ${stderr.toString()}`);
  return wasm;
}

const exported = async () => `export default ${JSON.stringify(await compiled())};`;

export const esbuildPlugin = {
  name: 'assemblyscript',
  setup(build) {
    build.onResolve({ filter: /kernels\.ts\?wasm$/ }, () => ({ path: source, namespace: 'assemblyscript' }));
    build.onLoad({ filter: /.*/, namespace: 'assemblyscript' }, async () => ({ contents: await exported() }));
  },
};

export const vitePlugin = {
  name: 'assemblyscript',
  enforce: 'pre',
  load: (id) => (id.endsWith('kernels.ts?wasm') ? exported() : undefined),
};
