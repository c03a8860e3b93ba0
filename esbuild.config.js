// Builds dist/: the command as CommonJS (it starts fastest), the library as one ES module, types and schemas.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const dist = join(root, 'dist');

// A packed tarball brings dist/ along, and without dev dependencies there is nothing to build it with.
if (process.argv.includes('--prepare') && !canResolve('esbuild')) {
  if (existsSync(join(dist, 'cli/cli.cjs'))) process.exit(0);
  console.error('qdiff: dist/ is missing and esbuild is not installed; run `npm ci` with dev dependencies');
  process.exit(1);
}

const { build } = await import('esbuild');
const { buildPage } = await import('./src/report/page/build.js');
const { rolldown } = await import('rolldown');
const { esbuildPlugin, vitePlugin } = await import('./src/accelerate/assembly/compile.js');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
rmSync(dist, { recursive: true, force: true });
/** What commander and chalk import for features that are not used here: 6 ms of every start. */
const unused = {
  name: 'unused',
  resolveId: (id) => (['node:child_process', '#supports-color'].includes(id) ? `\0${id}` : null),
  load: (id) => (id.startsWith('\0node:') || id === '\0#supports-color' ? 'export default {};' : null),
};
/** A file with other characters takes twice the memory. */
const ascii = {
  name: 'ascii',
  generateBundle: (_, files) => {
    for (const chunk of Object.values(files)) chunk.code = chunk.code.replace(/[^\x00-\x7f]/g, escaped);
  },
};
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  absWorkingDir: root,
  define: { QDIFF_VERSION: JSON.stringify(version) },
  legalComments: 'none',
  metafile: true,
  plugins: [esbuildPlugin],
};
const cli = await buildCli();
writeCompiled();
const library = await build({
  ...common,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  format: 'esm',
  // yauzl is CommonJS and requires Node's own modules
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
});
// The html report's page: read only where that report is asked for.
const { page, metafile: ofPage } = await buildPage(notices);
writeFileSync(join(dist, 'report.html'), page);
writeFileSync(join(dist, 'THIRD_PARTY_NOTICES.txt'), notices([cli, library.metafile, ofPage]));
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
 * needed. By rolldown: esbuild would split the main file by all that share its parts. Returns the inputs, as a metafile does.
 */
async function buildCli() {
  const bundle = await rolldown({
    input: join(root, 'src/cli.ts'),
    platform: 'node',
    transform: { target: common.target, define: common.define },
    plugins: [vitePlugin, unused, ascii],
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  const { output } = await bundle.write({
    dir: join(dist, 'cli'),
    format: 'cjs',
    dynamicImportInCjs: false, // bin/load.js has no loader for it
    entryFileNames: 'cli.cjs',
    chunkFileNames: '[name].cjs',
    minify: { compress: false, mangle: true, codegen: true },
    codeSplitting: { groups: [{ name: 'main', tags: ['$initial'] }] },
  });
  const modules = output.flatMap((file) => Object.keys(file.modules ?? {}));
  return { inputs: Object.fromEntries(modules.map((file) => [relative(root, file), {}])) };
}

/** What V8 made of the main file in a run of the main job, the functions that it called included. See bin/load.js. */
function writeCompiled() {
  const run = `
    const script = require('./bin/load.js').loadMain();
    process.argv.splice(1, 0, 'qdiff');
    process.on('exit', () => require('fs').writeFileSync('dist/cli/main.cache', script.createCachedData()));
    require('./dist/cli/cli.cjs').run(process);
  `;
  const files = ['model.json', 'capture.npz'].map((name) => join('fixtures/pytorch/iris-vnni', name));
  // V8 refuses what was made with other flags than a user's; a build in GitHub Actions is not to write a step summary.
  const env = { ...process.env, NODE_OPTIONS: '', GITHUB_ACTIONS: '' };
  execFileSync(process.execPath, ['-e', run, ...files], { cwd: root, env });
}

function canResolve(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Licences of every package whose code is in a bundle. */
function notices(metafiles) {
  const inputs = metafiles.flatMap((m) => Object.keys(m.inputs));
  const folders = new Set(inputs.map((p) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(p)?.[0]).filter(Boolean));
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
  const { outputFiles } = await build({
    ...common,
    entryPoints: ['src/documents/schemas.ts'],
    format: 'esm',
    write: false,
    metafile: false,
  });
  const file = join(dist, 'schemas.mjs');
  writeFileSync(file, outputFiles[0].contents);
  const { schemas } = await import(file);
  rmSync(file);
  mkdirSync(join(dist, 'schemas'), { recursive: true });
  for (const [name, schema] of Object.entries(schemas)) {
    writeFileSync(join(dist, 'schemas', `${name}.schema.json`), JSON.stringify(schema, null, 2) + '\n');
  }
}
