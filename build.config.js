// Builds dist/: the command as CommonJS (it starts fastest), the library as one ES module, types and schemas.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';

const root = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const dist = join(root, 'dist');

// A packed tarball brings dist/ along, and without dev dependencies there is nothing to build it with.
if (process.argv.includes('--prepare') && !canResolve('rolldown')) {
  if (existsSync(join(dist, 'cli/main.cjs'))) process.exit(0);
  console.error('qdiff: dist/ is missing and rolldown is not installed; run `npm ci` with dev dependencies');
  process.exit(1);
}

const { build } = await import('rolldown');
const { buildPage } = await import('./src/report/page/build.js');
const { assemblyscript } = await import('./src/accelerate/assembly/compile.js');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
rmSync(dist, { recursive: true, force: true });
/** What commander imports for a feature that is not used here: 6 ms of every start. */
const unused = {
  name: 'unused',
  resolveId: (id, importer) =>
    id === 'node:child_process' && importer?.includes('node_modules') ? '\0node:child_process' : null,
  load: (id) => (id === '\0node:child_process' ? 'export default {};' : null),
};
/** Takes 1.4 to 5 ms to load, and only a name of more than 120 characters and golden vectors need it. */
const cryptoWhenNeeded = {
  name: 'crypto-when-needed',
  resolveId: (id, importer) => (id === 'node:crypto' && importer !== '\0crypto' ? '\0crypto' : null),
  load: (id) =>
    id === '\0crypto' ? "export const createHash = (name) => require('node:crypto').createHash(name);" : null,
};
/** Imported as all is, but not needed by a linear model under the usual kernel: in a file of their own, with what only they need. */
const DEFERRED = [
  'src/ops/registry.ts',
  ...['registry.ts', 'pyTorch.ts', 'pyTorchFloats.ts', 'tfliteLayer.ts'].map((name) => `src/kernels/${name}`),
].map((name) => join(root, name));
/** Of what is in neither file, in one too: what is loaded where a value differs. */
const OF_A_DIFFERENCE =
  /src\/(?:(?:compare|diagnose|kernels\/steps)\/|(?:kernels\/departure|diff\/extent)\.|report\/words\/(?:findings|ofItsOwn|twoCaptures)\.)/;
const ofMain = new Set();
function isOfMain(id, graph) {
  if (ofMain.size === 0) {
    ofMain.add(join(root, 'src/cli.ts'));
    for (const module of ofMain) // grows meanwhile
      for (const name of graph.getModuleInfo(module)?.importedIds ?? []) if (!DEFERRED.includes(name)) ofMain.add(name);
  }
  return ofMain.has(id);
}
/**
 * The main file loads that file when it first calls something of it, 8 ms of a start: the bundler's own files in CommonJS are loaded at
 * once. What it hands over itself is 500 names, of no use to a run that
 * loads no other file: given when one asks.
 */
const deferred = {
  name: 'deferred',
  renderChunk(code, { name }) {
    const loaded = /const require_others = require\("(.*)"\);/;
    if (name !== 'cli') return null;
    if (!loaded.test(code)) throw new Error('main.cjs: written in another form');
    return code
      .replaceAll('require_others.', 'require_others().')
      .replace(loaded, 'const require_others = () => require("$1");');
  },
  generateBundle(_options, bundle) {
    const { 'main.cjs': main, 'others.cjs': others } = bundle;
    const names = handed(main, /exports\.([\w$]+)=([\w$]+);/g);
    const all = names.map(([, name, own]) => `${name}:${own}`).join(',');
    const run = names.find(([, name]) => name === 'run');
    main.code += `${run[0]}let names;exports.names=()=>names??={${all}};`;
    // while it is loaded, the main file asks for its first names
    const getter =
      /Object\.defineProperty\(exports,"([\w$]+)",\{enumerable:true,get:function\(\)\{return ([\w$]+)\}\}\);?/g;
    const getters = handed(others, getter);
    others.code = getters.map(([text]) => text).join(';') + others.code;
    for (const file of Object.values(bundle))
      if (file !== main && file.code) file.code = file.code.replace('require("./main.cjs")', '$&.names()');
    const runtime = 'rolldown-runtime.cjs'; // the bundler's own functions, which it puts into a file that every start would load
    const asked = `require("./${runtime}")`;
    main.code = main.code.replace(
      asked,
      () => `exports.runtime=(exports=>{${bundle[runtime].code};return exports})({})`,
    );
    for (const file of Object.values(bundle)) file.code = file.code?.replace(asked, 'require("./main.cjs").runtime');
    delete bundle[runtime];
  },
};
/** What a file hands over, which is taken away. */
function handed(file, pattern) {
  const names = Array.from(file.code.matchAll(pattern));
  file.code = file.code.replace(pattern, '');
  if (names.length < 10) throw new Error(`${file.fileName}: written in another form`);
  return names;
}
const common = {
  cwd: root,
  platform: 'node',
  transform: { target: 'node20', define: { QDIFF_VERSION: JSON.stringify(version) } },
  plugins: [assemblyscript],
  checks: { bundlerTimings: false }, // AssemblyScript's compiler takes seconds
  onLog: (_level, log) => {
    throw new Error(log.message);
  },
};
const oneFile = { codeSplitting: false, comments: { legal: false, jsdoc: false } };
const cli = await buildCli();
writeCompiled();
const library = await build({
  ...common,
  input: 'src/index.ts',
  output: { ...oneFile, file: 'dist/index.js', format: 'esm' },
});
// What `qdiff run` starts where onnxruntime-node lies beside it.
const nodeExporter = await build({
  ...common,
  input: 'src/exporters/onnx/qdiff_onnx.ts',
  output: { ...oneFile, file: 'dist/exporters/qdiff_onnx.cjs', format: 'cjs' },
});
// The html report's page: read only where that report is asked for.
const page = await buildPage(notices);
writeFileSync(join(dist, 'report.html'), page.html);
writeChecksums();
writeFileSync(
  join(dist, 'THIRD_PARTY_NOTICES.txt'),
  notices([...cli.output, ...library.output, ...nodeExporter.output, ...page.chunks]),
);
await writeSchemas();
execFileSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.types.json')],
  {
    stdio: 'inherit',
  },
);

/**
 * What the main job needs in one file, since each file takes half a millisecond to load, and beside it what is imported when it is
 * needed.
 */
function buildCli() {
  return build({
    ...common,
    input: 'src/cli.ts',
    preserveEntrySignatures: 'allow-extension', // the main file has the others' names too
    plugins: [...common.plugins, unused, cryptoWhenNeeded, deferred],
    output: {
      dir: 'dist/cli',
      format: 'cjs',
      dynamicImportInCjs: false, // bin/load.js has no loader for it
      entryFileNames: 'main.cjs',
      chunkFileNames: '[name].cjs',
      charset: 'ascii', // a file with other characters takes twice the memory
      minify: { compress: false, mangle: true, codegen: true },
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [
          { name: (id, graph) => (isOfMain(id, graph) ? 'main' : 'others'), tags: ['$initial'], priority: 1 },
          { name: 'diagnose', test: OF_A_DIFFERENCE },
        ],
      },
    },
  });
}

/**
 * What V8 made of the main file in a run of the main job, the functions that it called included, and of what a diagnosis loads
 * besides: one that finds its cause at once, and one that tries everything; then the readers of graphs. See bin/load.js. Of the Node that builds, and of those whose
 * executables QDIFF_NODES names, divided as in PATH: a release has them for each line of Node.
 */
function writeCompiled() {
  const run = `
    process.argv.splice(1, 0, 'qdiff');
    require('./bin/load.js').writeCompiled().run(process);
  `;
  const noise = mkdtempSync(join(tmpdir(), 'qdiff-build-'));
  const jobs = [
    ...['iris-vnni', 'iris-avx2'].map((set) =>
      ['model.json', 'capture.npz'].map((name) => join('fixtures/pytorch', set, name)),
    ),
    writeNoise(noise),
    ['model.onnx', 'capture.npz'].map((name) => join('fixtures/onnx/net-qdq-s8', name)),
    ['model.tflite', 'captured-ref.npz'].map((name) => join('fixtures/tflite/cnn-int16x8', name)),
  ];
  // V8 refuses what was made with other flags than a user's; a build in GitHub Actions is not to write a step summary.
  const env = { ...process.env, NODE_OPTIONS: '', GITHUB_ACTIONS: '' };
  const others = (process.env.QDIFF_NODES ?? '').split(delimiter).filter((node) => node !== '');
  for (const node of [process.execPath, ...others])
    for (const job of jobs) execFileSync(node, ['-e', run, ...job, '--max-mismatched', '100'], { cwd: root, env });
  rmSync(noise, { recursive: true });
}

/** A layer that the accelerator takes, whose captured codes, and a candidate's, follow from nothing: what to compare. */
function writeNoise(folder) {
  const [samples, features] = [512, 64];
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  const random = (length) => Uint8Array.from({ length }, next);
  const write = (path, data) => {
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${samples}, ${features}), }`.padEnd(117) + '\n';
    const front = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}`, 'latin1');
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), Buffer.concat([front, data]));
  };
  for (const path of ['capture/x.npy', 'capture/fc.npy', 'candidate/fc.npy']) write(path, random(samples * features));
  const channels = (number) => Array.from({ length: features }, (_, n) => number(n));
  const params = (scale) => ({ dtype: 'uint8', scale, zero_point: 128 });
  const layer = {
    ...{ name: 'fc', op: 'linear', input: 'x', activation: 'none', output: params(1.5) },
    weight: channels(() => Array.from(new Int8Array(random(features).buffer))),
    weight_scale: channels((n) => (1 + (n % 7)) / 1024),
    ...{ bias: channels((n) => ((n % 11) - 5) / 4), bias_dtype: 'float32' },
  };
  const model = {
    ...{ format: 'qdiff-model', version: 1, producer: { framework: 'pytorch', engine: 'fbgemm' } },
    ...{ inputs: [{ name: 'x', ...params(0.02) }], layers: [layer] },
  };
  writeFileSync(join(folder, 'model.json'), JSON.stringify(model));
  return [join(folder, 'model.json'), join(folder, 'capture'), '--candidate', join(folder, 'candidate')];
}

/** Of all that the command reads of itself while it runs: damage is noticed before it is used. A compiled form holds a copy. */
function writeChecksums() {
  const code = readdirSync(join(dist, 'cli')).filter((name) => name.endsWith('.cjs'));
  const exporters = readdirSync(join(root, 'src/exporters'), { recursive: true }).filter((name) =>
    name.endsWith('.py'),
  );
  const files = [
    ...code.map((name) => `dist/cli/${name}`),
    'dist/report.html',
    'dist/exporters/qdiff_onnx.cjs',
    ...exporters.sort().map((name) => `src/exporters/${name.replaceAll('\\', '/')}`),
  ];
  const sums = files.map((name) => [name, crc32(readFileSync(join(root, name)))]);
  writeFileSync(join(dist, 'checksums.json'), `${JSON.stringify(Object.fromEntries(sums), null, 1)}\n`);
}

function canResolve(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Licences of every package whose code is in one of the files. */
function notices(chunks) {
  const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules)).map((file) => relative(root, file));
  const folders = new Set(
    modules.map((p) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(p)?.[0]).filter(Boolean),
  );
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      const file = ['LICENSE', 'LICENSE.md', 'license', 'LICENSE.txt', 'LICENCE'].find((f) =>
        existsSync(join(root, folder, f)),
      );
      return `${name} ${version} (${license})\n\n${file ? readFileSync(join(root, folder, file), 'utf8').trim() : license}\n`;
    })
    .join(`\n${'-'.repeat(78)}\n\n`);
}

/** Every JSON document that qdiff reads or writes has its schema in dist/schemas. */
async function writeSchemas() {
  const file = join(dist, 'schemas.mjs');
  await build({ ...common, input: 'src/schemas.ts', output: { ...oneFile, file, format: 'esm' } });
  const { schemas } = await import(file);
  rmSync(file);
  mkdirSync(join(dist, 'schemas'), { recursive: true });
  for (const [name, schema] of Object.entries(schemas)) {
    writeFileSync(join(dist, 'schemas', `${name}.schema.json`), JSON.stringify(schema, null, 2) + '\n');
  }
}
