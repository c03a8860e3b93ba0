/**
 * Constants that follow from shapes, which the file declares or a capture shows: positions of a transformer (Range), the width of its
 * heads as a real, for the scale of its scores (Cast), and the parts of weights that belong to query, key and value (Slice).
 */

import { FLOAT32, INT64, type OnnxDtype, onnxDtype } from '../../load/onnx/dtypes.js';
import { float64s } from '../../numeric/array.js';
import type { Constant } from './constants.js';
import { derived } from './derived.js';
import { type From, ofSamples, type ShapeValue } from './dims.js';
import { slicedConstant } from './folds.js';
import { type GraphNode, intOf, isOnnx } from './graph.js';
import { sayRunDims } from './runDims.js';
import { shapeValues } from './shapeValues.js';

/** More places than any sequence has, and fewer than SAMPLES. */
const MOST = 1 << 17;

/** Of every node, in order. Null where it does not follow. */
export async function fromShapes(node: GraphNode, from: From): Promise<Constant | null> {
  await sayRunDims(node, from);
  const constant = await constantOf(node, from);
  if (constant && ofSamples(from.run?.batch ?? null)) from.constants.atRun.add(node.outputs[0]);
  return constant;
}

async function constantOf(node: GraphNode, from: From): Promise<Constant | null> {
  if (isOnnx(node, 'Range')) return range(node, from);
  if (isOnnx(node, 'Slice')) return slice(node, from);
  return isOnnx(node, 'Cast') ? cast(node, from) : null;
}

async function range(node: GraphNode, from: From): Promise<Constant | null> {
  const given = await Promise.all(node.inputs.map((input) => shapeValues(input, from)));
  const [start, limit, delta] = given.map((values) => values?.[0] ?? null);
  const isFloat = node.inputs.some((input) => from.constants.get(input)?.dtype.name.startsWith('float'));
  if (start === null || limit === null || !delta || isFloat) return null;
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (count > MOST) return null;
  const numbers = float64s({ length: count }, (_, i) => start + i * delta);
  return made(node, onnxDtype(INT64), numbers);
}

async function slice({ inputs: [x, ...bounds], outputs: [output] }: GraphNode, from: From): Promise<Constant | null> {
  const whole = from.constants.get(x);
  if (!whole) return null;
  const given = await Promise.all(bounds.map((input) => (input === '' ? undefined : shapeValues(input, from))));
  const isKnown = (values?: readonly ShapeValue[] | null) =>
    values === undefined || values?.every((value) => value !== null && !ofSamples(value));
  if (given.length < 2 || !given.every(isKnown)) return null;
  const [starts, ends, axes, steps] = given as (readonly number[] | undefined)[];
  return starts && ends ? slicedConstant(whole, output, { starts, ends, axes, steps }) : null;
}

async function cast(node: GraphNode, from: From): Promise<Constant | null> {
  const [x = ''] = node.inputs;
  if (intOf(node, 'to', 0) !== FLOAT32 || from.constants.get(x)) return null;
  const values = await shapeValues(x, from);
  if (!values || values.some((value) => value === null || ofSamples(value))) return null;
  return made(node, onnxDtype(FLOAT32), Float32Array.from(values as number[]));
}

function made({ outputs: [output] }: GraphNode, dtype: OnnxDtype, numbers: Float64Array | Float32Array): Constant {
  const shape = [numbers.length];
  return { dtype, shape, source: derived(output, dtype.stored!, shape, async () => numbers) };
}
