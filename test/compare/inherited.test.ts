/** What a layer inherits came with the input that differs, whichever of its inputs that is. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

async function runOf(capture: Buffer, candidate: Buffer | null, network: object = model, ...options: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'inherited-'));
  const at = (name: string) => join(folder, name);
  writeFileSync(at('model.json'), JSON.stringify(network));
  writeFileSync(at('capture.npz'), capture);
  if (candidate) writeFileSync(at('candidate.npz'), candidate);
  const files = candidate ? ['--candidate', at('candidate.npz')] : [];
  const argv = [at('model.json'), at('capture.npz'), ...files, ...options];
  const report: Report = JSON.parse((await cli()([...argv, '--reporter', 'json'])).stdout);
  const layers = candidate ? report.candidate_layers! : report.layers;
  const of = (own: string) => layers.find(({ name }) => name === own)!;
  return { of, sum: of('sum'), text: (await cli()(argv)).stdout };
}

it('in propagated mode: from the second of two, in one line', async () => {
  const { sum, text } = await runOf(values({ twice: 23, sum: 33 }), null, model, '--mode', 'propagated');
  expect(sum.diagnosis).toMatchObject({ causes: ['inherited'], evidence: { inherited: { from: 'twice' } } });
  expect(text).toContain('sum - Replay: inherited from twice\n  explained  1 of 1 differing value\n\n');
});

it('in propagated mode, besides what the layer does itself: how many differ here, and how many by its own doing', async () => {
  const { sum, text } = await runOf(values({ twice: 23, sum: 40 }), null, model, '--mode', 'propagated');
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

describe('a layer that is off by a scale on what it read', () => {
  const [SIZE, BY, OFF] = [256, 0.5371, 0.985];
  const requantized = (name: string, scale: number) => ({
    name,
    op: 'requantize',
    input: name === 'first' ? 'x' : 'first',
    output: { dtype: 'uint8', scale, zero_point: 0 },
  });
  const two = { ...model, layers: [requantized('first', 0.1), requantized('second', 0.1 / BY)] };
  const codes = Array.from({ length: SIZE }, (_, i) => i);
  const [right, off] = [BY, BY * OFF].map((by) => (code: number) => Math.round(code * by));

  /** Of each code what the capture's first layer has, where the candidate's has that code. */
  async function told(captured: (code: number) => number) {
    const first = codes.map(captured);
    const own = { first: codes, second: codes.map(off) };
    const all = { x: first, first, second: first.map(right) };
    const files = [all, own].map((values) =>
      npz(Object.fromEntries(Object.entries(values).map(([name, v]) => [name, npy('uint8', [SIZE, 1], v)]))),
    );
    const { of } = await runOf(files[0], files[1], two);
    return of('second').diagnosis!;
  }

  it('in values that differ', async () => {
    expect((await told((code) => Math.max(0, code - 1))).causes).toEqual(['inherited', 'output-scale-wrong']);
  });

  it('in others only: all that differs came with its input', async () => {
    // where the scale moves a code, the capture has one that comes to the same; elsewhere another
    const { causes, evidence, explained, of } = await told((code) => {
      if (off(code) === right(code)) return code % 3 === 0 ? Math.min(255, code + 4) : code;
      return codes.find((own) => right(own) === off(code))!;
    });
    expect(causes).toEqual(['inherited']);
    expect(evidence.inherited).toEqual({ from: 'first', values: of });
    expect(explained).toBe(of);
  });
});
