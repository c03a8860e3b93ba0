/** A 7B model: its linear layers and a product of an attention's size, block by block. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type LayerShape, makeCase } from './case.js';
import { files, folder, forReadme, mib, ms, print, qdiff, root, spawned } from './processes.js';
import { table } from './readme.js';

/** 512 tokens in 4 sequences; 32 heads of 128. */
const EXTENT = { samples: 4, rows: 128 };
const HEADS = [32, 128, 128] as const;
const ALL = 32;

export async function memory(): Promise<void> {
  await measured([1, 8, 16]);
}

/** All blocks for once: 6.5 GB of weights. */
export async function whole(): Promise<void> {
  await measured([ALL]);
}

/** The same as an array job of a real Slurm, after `whole`: the merged report has to be that of one process. */
export function arrayJob(): void {
  const { status } = spawnSync(join(root, 'test/scale/slurm.sh'), [...files(caseOf(ALL)), '8'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('slurm.sh: the array job failed, or its report is another');
}

const caseOf = (blocks: number) => join(folder, `blocks${blocks}`);

async function measured(counts: readonly number[]): Promise<void> {
  const rows: string[][] = [];
  for (const blocks of counts) {
    const at = caseOf(blocks);
    const layers = Array.from({ length: blocks }, (_, b) => `${b}.scores`);
    await makeCase(at, blocksOf7B(blocks), EXTENT, { layers, dims: HEADS });
    const { wallMs, maxRss, cpuMs } = spawned(process.execPath, [qdiff, ...files(at)]);
    rows.push([String(blocks), ms(wallMs), ms(cpuMs), mib(maxRss)]);
  }
  const head = ['blocks of a 7B model, 512 tokens', 'whole process, ms', 'of the CPU, ms', 'peak MiB'];
  print('A 7B model: linears and a product of its heads, block by block', head, rows);
  forReadme.push(table(head, rows));
}

function blocksOf7B(blocks: number): LayerShape[] {
  const linears = (['q', 'k', 'v', 'o'] as const).map((name) => ({
    name,
    input: 'x',
    inFeatures: 4096,
    outFeatures: 4096,
  }));
  const wide = ['gate', 'up'].map((name) => ({ name, input: 'x', inFeatures: 4096, outFeatures: 11008 }));
  const block = [...linears, ...wide, { name: 'down', input: 'h', inFeatures: 11008, outFeatures: 4096 }];
  return Array.from({ length: blocks }, (_, b) =>
    block.map((layer) => ({ ...layer, name: `${b}.${layer.name}` })),
  ).flat();
}
