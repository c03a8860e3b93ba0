/** A dynamic layer as PT2E's reference computes it, in floats: a candidate that sums them in another order, and makes a mistake besides. */
import { beforeAll, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { dynamicDecomposed } from '../../src/kernels/steps/dynamic.js';
import type { Capture } from '../../src/nouns/capture.js';
import type { Model, ProductLayer } from '../../src/nouns/model.js';
import { rangeOfRow } from '../../src/numeric/extremes.js';

const FOLDER = 'fixtures/pytorch/pt2e-dynamic';
const f = Math.fround;
let model: Model;
let capture: Capture;

beforeAll(async () => {
  model = await openModel(nodeFileSystem, `${FOLDER}/model.json`);
  capture = await openCapture(nodeFileSystem, `${FOLDER}/capture.npz`, model);
});

interface Mistake {
  readonly bias?: number;
  readonly weights?: number;
  /** A range for each row. */
  readonly byRow?: boolean;
}

/** The last layer from its captured input, call by call, the terms from the last to the first. */
async function headBy({ bias = 1, weights = 1, byRow = false }: Mistake): Promise<Float32Array> {
  const layer = model.layers.at(-1) as ProductLayer;
  const { form } = layer;
  const { inFeatures, outFeatures } = form.weight;
  const codes = await form.weight.read();
  const x = await capture.values.get(layer.inputs[0])!.read(0, capture.samples);
  const output = new Float32Array(capture.samples * outFeatures);
  let first = 0;
  for (const rows of capture.batchSizes.flatMap((size) => (byRow ? new Array<number>(size).fill(1) : size))) {
    const own = x.subarray(first * inFeatures, (first + rows) * inFeatures) as Float32Array;
    const { min, max } = rangeOfRow(own);
    const input = dynamicDecomposed.chooseQuantParams(min, max, false);
    const reals = own.map((v) => f((dynamicDecomposed.quantize.prepare(input)(v) - input.zeroPoint) * input.scale));
    for (let row = 0; row < rows; row++)
      for (let n = 0; n < outFeatures; n++) {
        const scale = f(form.weightScale[form.weightScale.length === 1 ? 0 : n] * weights);
        let sum = 0;
        for (let k = inFeatures - 1; k >= 0; k--)
          sum = f(sum + f(reals[row * inFeatures + k] * f(codes[n * inFeatures + k] * scale)));
        output[(first + row) * outFeatures + n] = f(sum + f(form.bias![n] * bias));
      }
    first += rows;
  }
  return output;
}

test.each<[name: string, mistake: Mistake, causes: string[]]>([
  ['another order', {}, ['float-arithmetic']],
  ['no bias', { bias: 0 }, ['bias-missing']],
  ['twice the bias', { bias: 2 }, ['bias-factor']],
  ['weights of another scale', { weights: 1.1 }, ['weight-scale-wrong']],
  ['a range for each row', { byRow: true }, ['activation-range']],
])('%s', async (_, mistake, causes) => {
  const { name } = model.layers.at(-1)!;
  const [own, y] = [capture.values.get(name)!, await headBy(mistake)];
  const read = async (from: number, to: number) => y.subarray(from * own.features, to * own.features);
  const candidate = { ...capture, values: new Map([[name, { ...own, read }]]) };
  const { layers, candidate_layers } = await compare(model, capture, { candidate });
  expect(layers.map(({ status }) => status)).toEqual(['match', 'match', 'match', 'match']);
  expect(candidate_layers!.at(-1)!.diagnosis).toMatchObject({ causes });
});
