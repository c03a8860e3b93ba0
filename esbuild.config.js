// Builds dist/: the command as one CommonJS file (it starts fastest), the library as one ES module, types and schemas.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const dist = join(root, 'dist');

// A packed tarball brings dist/ along, and without dev dependencies there is nothing to build it with.
if (process.argv.includes('--prepare') && !canResolve('esbuild')) {
  if (existsSync(join(dist, 'cli.cjs'))) process.exit(0);
  console.error('qdiff: dist/ is missing and esbuild is not installed; run `npm ci` with dev dependencies');
  process.exit(1);
}

const { build } = await import('esbuild');
const { buildPage } = await import('./src/report/page/build.js');
const { esbuildPlugin } = await import('./src/accelerate/assembly/compile.js');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
rmSync(dist, { recursive: true, force: true });
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
const cli = await build({
  ...common,
  entryPoints: ['src/cli.ts'],
  outfile: 'dist/cli.cjs',
  format: 'cjs',
  minify: true,
  keepNames: false,
});
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
writeFileSync(join(dist, 'THIRD_PARTY_NOTICES.txt'), notices([cli.metafile, library.metafile, ofPage]));
await writeSchemas();
execFileSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.types.json')],
  {
    stdio: 'inherit',
  },
);

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
    entryPoints: ['src/schemas.ts'],
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
