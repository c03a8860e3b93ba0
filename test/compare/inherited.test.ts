/** What a layer inherits came with the input that differs, whichever of its inputs that is. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const output = { dtype: 'uint8', scale: 0.01, zero_point: 0 };
/** Its codes are `weight` times those of x. */
const times = (name: string, weight: number) => ({
  name,
  op: 'linear',
  input: 'x',
  weight: [[weight]],
  weight_scale: 0.1,
  output,
});
const model = {
  format: 'qdiff-model',
  version: 1,
  producer: { framework: 'pytorch', engine: 'fbgemm' },
  inputs: [{ name: 'x', dtype: 'uint8', scale: 0.1, zero_point: 0 }],
  layers: [times('once', 1), times('twice', 2), { name: 'sum', op: 'add', input: ['once', 'twice'], output }],
};

/** Two samples of 10 times 1, 2 and 3, but for what is said of the first. */
function values(first: { twice?: number; sum?: number }): Buffer {
  const arrays = { x: [10, 10], once: [10, 10], twice: [first.twice ?? 20, 20], sum: [first.sum ?? 30, 30] };
  return npz(Object.fromEntries(Object.entries(arrays).map(([name, codes]) => [name, npy('uint8', [2, 1], codes)])));
}

async function runOf(capture: Buffer, candidate: Buffer | null, ...options: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'inherited-'));
  const at = (name: string) => join(folder, name);
  writeFileSync(at('model.json'), JSON.stringify(model));
  writeFileSync(at('capture.npz'), capture);
  if (candidate) writeFileSync(at('candidate.npz'), candidate);
  const files = candidate ? ['--candidate', at('candidate.npz')] : [];
  const argv = [at('model.json'), at('capture.npz'), ...files, ...options];
  const report: Report = JSON.parse((await cli()([...argv, '--reporter', 'json'])).stdout);
  const layers = candidate ? report.candidate_layers! : report.layers;
  return { sum: layers.find(({ name }) => name === 'sum')!, text: (await cli()(argv)).stdout };
}

it('in propagated mode: from the second of two, in one line', async () => {
  const { sum, text } = await runOf(values({ twice: 23, sum: 33 }), null, '--mode', 'propagated');
  expect(sum.diagnosis).toMatchObject({ causes: ['inherited'], evidence: { inherited: { from: 'twice' } } });
  expect(text).toContain('sum - Replay: inherited from twice\n  explained  1 of 1 differing value\n\n');
});

it('in propagated mode, besides what the layer does itself: how many differ here, and how many by its own doing', async () => {
  const { sum, text } = await runOf(values({ twice: 23, sum: 40 }), null, '--mode', 'propagated');
  expect(sum.diagnosis!.causes).not.toContain('inherited');
  expect(sum.diagnosis!.evidence.inherited).toEqual({ from: 'twice' });
  expect(text).toContain(
    '1 value differs here, 1 on the captured input: sum reads twice,\n             which differs already',
  );
});

it('of a candidate: from the second of two', async () => {
  const { sum } = await runOf(values({}), values({ twice: 23, sum: 33 }));
  expect(sum.diagnosis).toMatchObject({ causes: ['inherited'], evidence: { inherited: { from: 'twice' } } });
});
