/** Golden vectors of layers on whole values (sums, products of values, pools, means, tables): inputs and output, and C that makes it. */

import { equationOf } from '../kernels/departure.js';
import { stepsOf } from '../kernels/kernel.js';
import type { NumericArray } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';
import { isTensor, type Layer, type TensorLayer } from '../nouns/model.js';
import { isQuantized, type QuantParams } from '../nouns/value.js';
import { blocks } from '../replay/blocks.js';
import type { LayerRun, ReplaySession } from '../replay/session.js';
import { tensorCall } from '../replay/tensor.js';
import { sizeOf } from '../tensor/shape.js';
import type { GoldenArray } from './goldenArrays.js';
import type { ValueInC } from './inC/writer.js';
import { valueInC } from './valueInC.js';

export interface GoldenValue {
  readonly name: string;
  readonly op: string;
  readonly samples: number;
  readonly inputs: readonly QuantParams[];
  readonly output: QuantParams;
  readonly equation: string;
  readonly c: ValueInC;
  readonly arrays: readonly GoldenArray[];
}

/** Null: none is written of such a layer. */
export async function goldenValue(
  session: ReplaySession,
  layer: Layer,
  { samples }: Capture,
): Promise<GoldenValue | null> {
  if (!isTensor(layer) || session.whyNotReplayed(layer)) return null;
  const run = await session.open(layer);
  const steps = stepsOf(run.kernel, layer.op);
  const c = valueInC(steps, callOf(run, layer));
  if (!c || !steps) return null;
  const params = [...run.ready.inputs, layer.output].filter((one) => one !== null && isQuantized(one)) as QuantParams[];
  const { inputs: read, output: made } = run.ready.shapes;
  const dims = [...read, made].map((shape) => shape.dims);
  const values = await valuesOf(run, samples, params, dims);
  const names = [...read.map((_, i) => (i === 0 ? 'input' : `input_${i}`)), 'output'];
  return {
    name: layer.name,
    op: layer.op,
    samples,
    inputs: params.slice(0, -1),
    output: params.at(-1)!,
    equation: equationOf(steps),
    c,
    arrays: names.map((name, i) => ({
      name: `${layer.name}.${name}`,
      value: name === 'output' ? layer.name : null,
      shape: [samples, ...dims[i]],
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

async function valuesOf(
  run: LayerRun,
  samples: number,
  params: readonly QuantParams[],
  dims: readonly (readonly number[])[],
) {
  const sizes = dims.map(sizeOf);
  const values = params.map(({ dtype }, i) => codesFor(dtype, samples * sizes[i]));
  for (const [from, to] of blocks(
    0,
    samples,
    sizes.reduce((sum, size) => sum + size, 0),
  )) {
    for (const [i, input] of run.inputs.entries()) values[i].set(await input.read(from, to), from * sizes[i]);
    const { data } = await run.replay(from, to);
    values.at(-1)!.set(data as NumericArray, from * sizes.at(-1)!);
  }
  return values;
}

function codesFor(dtype: string, length: number): Int8Array | Uint8Array | Int16Array {
  if (dtype === 'int16') return new Int16Array(length);
  return dtype === 'uint8' ? new Uint8Array(length) : new Int8Array(length);
}
