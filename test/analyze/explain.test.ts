import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { explain, reproScript, type ValueToExplain } from '../../src/analyze/explain/explain.js';
import type { ExplainDocument } from '../../src/documents/explain.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { productSteps } from '../../src/kernels/kernel.js';
import { kernelByName, kernels } from '../../src/kernels/registry.js';
import type { Kernel } from '../../src/nouns/kernel.js';
import { isProduct } from '../../src/nouns/model.js';
import { isQuantized } from '../../src/nouns/value.js';
import { chosenInput, productOf } from '../../src/replay/layer.js';
import { oneChannel } from '../../src/replay/oneChannel.js';
import { ReplaySession } from '../../src/replay/session.js';
import { cli } from '../support/cli.js';
import { hasNumpy, outputOf } from '../support/tools.js';
import { vectorsOf } from '../support/vectors.js';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures');

/** Some values of every linear layer of a fixture, under one kernel. */
async function valuesOf(folder: string, kernel: Kernel, perLayer: number): Promise<ValueToExplain[]> {
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const session = new ReplaySession(model, capture, kernel, 'isolated');
  const values: ValueToExplain[] = [];
  for (const layer of model.layers) {
    if (!isProduct(layer) || session.whyNotReplayed(layer)) continue;
    const run = await session.open(layer);
    const { outFeatures, inFeatures } = layer.form.weight;
    for (let i = 0; i < perLayer; i++) {
      const at = Math.floor((i * capture.samples * outFeatures) / perLayer);
      const [sample, channel] = [Math.floor(at / outFeatures), at % outFeatures];
      const range = run.batches?.rangeOf(run.batches.batchOf(sample));
      const steps = productSteps(kernel, layer)!;
      const params = range ? chosenInput(steps, layer.form, range) : run.ready.input;
      if (!isQuantized(params)) throw new Error('no codes');
      const quantize = range ? steps.dynamic!.quantize.prepare(params) : (code: number) => code;
      const x = Int32Array.from(await run.input.read(sample, sample + 1), quantize);
      const captured = capture.values.get(layer.name);
      values.push({
        layer: layer.name,
        op: layer.op,
        inputName: layer.inputs[0],
        sample,
        channel,
        product: oneChannel(productOf(run.ready, layer, params, run.callOf(sample)), channel),
        x: { rows: 1, cols: inFeatures, data: x },
        captured: captured ? (await captured.read(sample, sample + 1))[channel] : null,
        candidate: null,
        read: null,
        kernels: [kernel],
        causes: [],
      });
    }
  }
  await model.close();
  await capture.close();
  return values;
}

/** The snippets of many values as one program, a line of output each. */
function printed(scripts: readonly string[]): number[] {
  const file = join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'snippets.py');
  const program = scripts.map((script) => script.replace('import numpy as np; ', '')).join('\n');
  writeFileSync(file, `import numpy as np\n${program}\n`);
  return outputOf('python3', [file]).trim().split('\n').map(Number);
}

/** Without what is large and of the same steps, and without patches, which are explained elsewhere. */
const LEFT_OUT = /^(pointwise|batch|ties|convolutions.*)$/;

// a text runs nowhere: onnx-spec has no golden vectors
const run = kernels.filter(({ wholeRuntime, runtime }) => !(wholeRuntime && runtime === 'onnx'));

describe.each(run.map((kernel) => ({ name: kernel.name, kernel })))('$name', async ({ name, kernel }) => {
  const root = join(FIXTURES, 'kernels', vectorsOf(name));
  // rows with ranges of their own are explained below
  const isPerRow = productSteps(kernel, { op: 'linear_dynamic' })?.dynamic?.grain === 'row';
  const families = readdirSync(root).filter((f) => !LEFT_OUT.test(f) && !(isPerRow && f === 'dynamic'));
  const values = (await Promise.all(families.map((family) => valuesOf(join(root, family), kernel, 6)))).flat();
  const documents = values.map(explain);

  it('explains golden values, operation by operation', () => {
    const wrong = documents.filter(({ columns }) => columns[0].explains !== true);
    expect(wrong.map(({ layer, sample, channel }) => [layer, sample, channel])).toEqual([]);
    expect(new Set(documents.map(({ columns }) => columns[0].value)).size).toBeGreaterThan(20);
  });

  it.skipIf(!hasNumpy)('numpy prints the same values (python3 with numpy)', () => {
    // every third: Python takes longer to read the arrays than all else takes
    const some = documents.map((document, i) => ({ document, value: values[i] })).filter((_, i) => i % 3 === 0);
    const scripts = some.map(({ document: { numpy }, value: { x, product } }) => {
      const file = `{"x_int8": np.array([${x.data}]), "w_int8": np.array([${product.weight}])}`;
      return numpy.join('\n').replace('np.load("repro.npz")', file);
    });
    const wanted = some.map(({ document }) => Math.fround(document.columns[0].value));
    expect(printed(scripts).map(Math.fround)).toEqual(wanted);
  });
});

test.each(['torchao', 'torchao-avx2'])('%s: every layer, whatever has a range of its own', async (set) => {
  const folder = join(FIXTURES, 'pytorch', set);
  const files = [join(folder, 'model.json'), join(folder, 'capture.npz')];
  const { layers } = JSON.parse(readFileSync(files[0], 'utf8')) as { layers: { name: string; op: string }[] };
  for (const { name } of layers.filter(({ op }) => op.startsWith('linear'))) {
    const { stdout } = await cli()(['explain', ...files, '--layer', name, '--kernel', set, '--reporter', 'json']);
    expect({ name, explains: JSON.parse(stdout).columns[0].explains }).toEqual({ name, explains: true });
  }
});

describe('iris on AVX2, fc1, sample 0', async () => {
  const folder = join(FIXTURES, 'pytorch', 'iris-avx2');
  const [declared, found] = [kernelByName('fbgemm'), kernelByName('fbgemm-avx2')];
  const values = (await valuesOf(folder, declared, 151 * 16))
    .filter(({ layer, sample }) => layer === 'fc1' && sample === 0)
    .map((value) => ({ ...value, kernels: [declared, found] }));
  const documents: ExplainDocument[] = values.map(explain);

  it('gives the accumulators that one gets by hand', () => {
    const byHand = values.map(({ product, x }) => {
      let exact = 0;
      let paired = 0;
      for (let k = 0; k < 4; k += 2) {
        const pair = x.data[k] * product.weight[k] + x.data[k + 1] * product.weight[k + 1];
        const zeroPoints = 128 * (product.weight[k] + product.weight[k + 1]);
        exact += pair - zeroPoints;
        paired += Math.max(-32768, Math.min(pair, 32767)) - zeroPoints;
      }
      return [exact, paired];
    });
    expect(documents.map(({ columns }) => columns.map(({ accumulator }) => accumulator))).toEqual(byHand);
    expect(byHand.some(([exact, paired]) => exact !== paired)).toBe(true);
  });

  it('shows the saturating pairs, and the codes of both CPUs', () => {
    const codes = (column: number) => documents.map(({ columns }) => columns[column].value);
    expect(codes(0)).toEqual([153, 153, 120, 128, 152, 217, 112, 165, 90, 182, 136, 157, 131, 119, 158, 118]);
    expect(codes(1)).toEqual([164, 138, 127, 139, 165, 213, 112, 155, 109, 168, 136, 144, 124, 119, 158, 118]);
    expect(documents[0].columns[1].saturating_pairs).toEqual([
      { k: [2, 3], x: [159, 143], w: [-128, -128], sum: -38656, saturated: -32768 },
    ]);
    expect(documents.map(({ columns }) => columns[0].saturating_pairs.length)).toEqual(documents.map(() => 0));
    expect(documents.map(({ first_difference }) => first_difference !== null)).toEqual(
      documents.map(({ columns }) => columns[1].saturating_pairs.length > 0),
    );
  });

  it.each([
    ['fbgemm', 'fbgemm-avx2', 'accumulator'],
    ['fbgemm', 'numpy', 'bias'],
    ['numpy', 'qnnpack', 'multiplier'],
    ['numpy', 'numpy', null],
  ])('%s and %s part first at the %s', (one, other, first) => {
    const value = { ...values[0], kernels: [one, other].map((name) => kernelByName(name)) };
    expect(explain(value).first_difference).toBe(first);
  });

  it.skipIf(!hasNumpy)('the numpy snippet prints the captured value (python3 with numpy)', () => {
    expect(printed(documents.map(({ numpy }) => numpy.join('\n')))).toEqual(values.map(({ captured }) => captured));
  });

  it('takes at most ten lines of 80 columns', () => {
    for (const { numpy } of documents) {
      expect(numpy.length).toBeLessThanOrEqual(10);
      for (const line of numpy) expect(line.length).toBeLessThanOrEqual(78);
    }
  });

  it('a script for a folder reads its codes from the npz', () => {
    expect(reproScript(values[0])).toContain('np.load("repro.npz")');
  });
});
