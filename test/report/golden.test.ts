import { expect, test } from 'vitest';
import type { GoldenManifest } from '../../src/documents/golden.js';
import { goldenText } from '../../src/report/golden.js';
import { NO_INK } from '../../src/report/terminal/ink.js';

const files = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `f${i}.memh` }));
const said = (change: object) => {
  const manifest = {
    ...{ kernel: 'fbgemm', equation: 'y = x', data: 'memh', model: 'm.json', capture: 'c.npz', samples: 2 },
    ...{ layers: [{}], files: files(2), captured: [{ layer: 'fc1', values: 6, mismatched: 0 }], skipped: [] },
    ...change,
  } as unknown as GoldenManifest;
  return goldenText('out/')(manifest, { ink: NO_INK, width: 200, unicode: true, verbose: false } as never).split('\n');
};

test.each([
  [[], null, ' --against replay --kernel fbgemm'],
  [[{ layer: 'fc1', values: 6, mismatched: 0 }], 'fc1: as captured', ''],
  [
    [{ layer: 'fc1', values: 6, mismatched: 2 }],
    'fc1: 2 of 6 captured values differ from it',
    ' --against replay --kernel fbgemm',
  ],
])('captured %j: what a candidate is held against', (captured, line, against) => {
  const lines = said({ captured });
  expect(lines.filter((own) => own.startsWith('fc1'))).toEqual(line === null ? [] : [line]);
  expect(lines).toContain(`next: qdiff m.json c.npz --candidate out/${against}`);
});

test.each([
  [24, []],
  [25, ['  and 1 more']],
  [60, ['  and 36 more']],
])('of %i files the first 24 are named', (count, more) => {
  const lines = said({ files: files(count) });
  expect(lines.filter((line) => line.startsWith('  f'))).toHaveLength(24);
  expect(lines.filter((line) => line.startsWith('  and'))).toEqual(more);
});
