/** Golden vectors of layers on whole values (sums, products of values, pools, means, tables): inputs and output, and C that makes it where it is integers. */

import { equationOf } from '../kernels/departure.js';
import { stepsOf } from '../kernels/kernel.js';
import type { Capture } from '../nouns/capture.js';
import { isTensor, type Layer, type TensorLayer } from '../nouns/model.js';
import { isQuantized, type QuantParams } from '../nouns/value.js';
import { blocks } from '../replay/blocks.js';
import type { LayerRun, ReplaySession } from '../replay/session.js';
import { tensorCall } from '../replay/tensor.js';
import { sizeOf } from '../tensor/shape.js';
import { codesFor, type GoldenArray } from './goldenArrays.js';
import type { ValueInC } from './inC/writer.js';
import { valueInC } from './valueInC.js';

export interface GoldenValue {
  readonly name: string;
  readonly op: string;
  readonly samples: number;
  readonly inputs: readonly QuantParams[];
  readonly output: QuantParams;
  readonly equation: string;
  /** Null: none is written of its arithmetic. */
  readonly c: ValueInC | null;
  readonly arrays: readonly GoldenArray[];
}

/** Null: it computes no codes from whole values of codes; or why it has no vectors. */
export async function goldenValue(
  session: ReplaySession,
  layer: Layer,
  capture: Capture,
): Promise<GoldenValue | string | null> {
  if (!isTensor(layer)) return null;
  const run = await session.open(layer);
  const steps = stepsOf(run.kernel, layer.op);
  const all = [...run.ready.inputs, layer.output];
  const params = all.filter((one) => one !== null && isQuantized(one)) as QuantParams[];
  // a state is read besides, and floats are no codes
  if (!steps || params.length !== run.inputs.length + 1) return null;
  const { inputs: read, output: made } = run.ready.shapes;
  const dims = [...read, made].map((shape) => shape.dims);
  const values = await valuesOf(run, capture.samples, params, dims);
  if (!values) return 'its runtime has no fixed order of operations: several codes are right';
  const names = [...read.map((_, i) => (i === 0 ? 'input' : `input_${i}`)), 'output'];
  return {
    name: layer.name,
    op: layer.op,
    samples: capture.samples,
    inputs: params.slice(0, -1),
    output: params.at(-1)!,
    equation: equationOf(steps),
    c: valueInC(steps, callOf(run, layer)),
    arrays: names.map((name, i) => ({
      name: `${layer.name}.${name}`,
      value: name === 'output' ? layer.name : null,
      shape: [capture.samples, ...dims[i]],
      data: values[i],
    })),
  };
}

/** One sample of it; what it reads decides no constant. */
function callOf({ ready, inCalls }: LayerRun, layer: TensorLayer) {
  const { ends, ...facts } = inCalls;
  const codes = ready.inputs.map(() => new Int32Array(0));
  return tensorCall(layer, ready, codes, facts, { samples: 1, first: 0, ofCall: ends[0] ?? 1 });
}

/** Null: some are known within a bound only. */
async function valuesOf(
  run: LayerRun,
  samples: number,
  params: readonly QuantParams[],
  dims: readonly (readonly number[])[],
) {
  const sizes = dims.map(sizeOf);
  const values = params.map((one, i) => codesFor(one, samples * sizes[i]));
  const perSample = sizes.reduce((sum, size) => sum + size, 0);
  for (const [from, to] of blocks(0, samples, perSample)) {
    for (const [i, input] of run.inputs.entries()) values[i].set(await input.read(from, to), from * sizes[i]);
    const { data, low, high } = await run.replay(from, to);
    if (low && high && data.some((code, i) => low[i] !== code || high[i] !== code)) return null;
    values.at(-1)!.set(data, from * sizes.at(-1)!);
  }
  return values;
}
