// The table of products on another Node, in both compiler tiers: node test/accelerate/everyNode.js [VERSION, default 26]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleCases } from './bundle.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-nodes-'));
const script = join(folder, 'cases.cjs');
const source = `import { compareAll } from './cases.ts';
const { compared, differing } = compareAll();
console.log(process.version, ...process.execArgv, compared, 'compared', differing.length, 'differ', ...differing.slice(0, 9));
process.exitCode = differing.length > 0 ? 1 : 0;`;
await bundleCases(source, script);
try {
  for (const flag of ['--liftoff-only', '--no-liftoff']) {
    execFileSync('npx', ['--yes', '-p', `node@${process.argv[2] ?? 26}`, 'node', flag, script], { stdio: 'inherit' });
  }
} finally {
  rmSync(folder, { recursive: true });
}
