// The table of products on another Node, in both compiler tiers, with and without the relaxed instruction:
// node test/accelerate/everyNode.js [VERSION, default 26]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleCases } from './bundle.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-nodes-'));
const script = join(folder, 'cases.cjs');
const source = `import { compareAll } from './cases.ts';
for (const portable of [true, false]) {
  const { compared, differing, with: dot } = compareAll({ threads: 1, portable });
  console.log(process.version, ...process.execArgv, '(' + dot + ')', compared, 'compared', differing.length, 'differ', ...differing.slice(0, 9));
  if (differing.length > 0) process.exitCode = 1;
}`;
const version = Number(process.argv[2] ?? 26);
const tiers = [['--liftoff-only'], ['--no-liftoff'], []];
const withoutVnni = version < 24 ? [] : tiers.map((flags) => [...flags, '--no-enable-avx-vnni']);
await bundleCases(source, script);
try {
  for (const flags of [...tiers, ...withoutVnni]) {
    execFileSync('npx', ['--yes', '-p', `node@${version}`, 'node', ...flags, script], { stdio: 'inherit' });
  }
} finally {
  rmSync(folder, { recursive: true });
}
