/** Which cause is responsible for which answers of a classifier: each taken away alone, by replay. */
import { describe, expect, test } from 'vitest';
import { forecast } from '../../src/analyze/forecast.js';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { kernelByName } from '../../src/kernels/registry.js';
import type { Capture } from '../../src/nouns/capture.js';
import type { Layer } from '../../src/nouns/model.js';
import { replayedCapture } from '../../src/replay/reference.js';
import { ReplaySession } from '../../src/replay/session.js';
import { random } from '../bench/case.js';

async function fixture(name: string) {
  const folder = `fixtures/pytorch/${name}`;
  const model = await openModel(nodeFileSystem, `${folder}/model.json`);
  return { model, capture: await openCapture(nodeFileSystem, `${folder}/capture.npz`, model) };
}

describe('answers', () => {
  test.each(['iris-avx2', 'digits-avx2'])('%s: what saturates flips what the forecast says', async (name) => {
    const { model, capture } = await fixture(name);
    const said = await forecast(model, capture, { kernels: [kernelByName('fbgemm')!] });
    const flips = said.top1_flips!.fbgemm!;
    expect(flips).toBeGreaterThan(0);
    const report = await compare(model, capture);
    expect(report.top1_flips).toEqual({ 'int16-saturation': flips, all: flips });
  });

  test('a candidate that does as declared flips what the capture does otherwise', async () => {
    const { model, capture } = await fixture('iris-avx2');
    const session = new ReplaySession(model, capture, kernelByName('fbgemm')!, 'propagated');
    const candidate = replayedCapture(model, capture, session);
    const report = await compare(model, capture, { candidate });
    expect(report.top1_flips).toEqual({ 'int16-saturation': 57, all: 57 });
  });

  test('without what nothing explains a candidate answers what was captured: replayed only where it read something else', async () => {
    const { model, capture } = await fixture('iris-vnni');
    const own = capture.values.get('fc2')!;
    const noise = random(own.samples * own.features, 5);
    const read = async (from: number, to: number) => noise.subarray(from * own.features, to * own.features);
    const flipsOf = async (given: Capture['values']) => {
      let opened = 0;
      const layers = model.layers.map((layer): Layer => {
        if (layer.name !== 'fc2' || layer.form?.kind !== 'product') return layer;
        const { weight } = layer.form;
        const counted = (...range: Parameters<typeof weight.read>) => {
          opened++;
          return weight.read(...range);
        };
        return { ...layer, form: { ...layer.form, weight: { ...weight, read: counted } } };
      });
      const candidate = { ...capture, values: new Map([...given, ['fc2', { ...own, read }]]) };
      const report = await compare({ ...model, layers }, capture, { candidate });
      return { opened, flips: report.top1_flips };
    };
    const same = await flipsOf(capture.values);
    const copied = await flipsOf(new Map([...capture.values].map(([name, value]) => [name, Object.create(value)])));
    expect(same.flips).toEqual({ unexplained: 99, all: 99 });
    expect(copied).toEqual({ opened: same.opened + 1, flips: same.flips });
  });

  test('equal answers, part of the layers, another output', async () => {
    const { model, capture } = await fixture('iris-vnni');
    expect((await compare(model, capture)).top1_flips).toEqual({ all: 0 });
    const selects = ({ name }: { name: string }) => name === 'fc1';
    expect((await compare(model, capture, { selects })).top1_flips).toBeNull();
  });
});
