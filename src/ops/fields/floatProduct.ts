/** What products of floats by float weights have in common: layers that a quantizer left as they were, between quantized ones. */

import * as z from 'zod/mini';
import { activation } from '../../documents/activation.js';
import type { FloatProductAttributes, FusedFunction } from '../../nouns/attributes.js';
import type { TensorForm } from '../../nouns/model.js';
import type { Window } from '../../nouns/window.js';
import { windowDims } from '../../tensor/patches.js';
import { dimsText, sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import type { Op, RawLayer, ReadLayer, ShapedLayer } from '../op.js';
import { activationOf } from './activation.js';
import { floatsOf } from './affine.js';
import { expectInput } from './inputs.js';
import { FLOAT32 } from './numbers.js';
import { layerFields, list, numbers, outputSchema } from './schema.js';
import { tableOf } from './table.js';
import { tensorForm } from './tensor.js';
import { doesNotFit, outputPadding, perPlace, readWindow, windowFields } from './window.js';

const whole = z.int().check(z.positive());

const fields = {
  weight: numbers('float32 [out, in / groups, ...kernel], one after the other', list('number')),
  out_features: whole,
  bias: z.optional(z.nullable(numbers('float32 [out]', list('number')))),
  activation: z.optional(activation),
  fused: z.optional(
    z.object({
      op: z.enum(['clamp', 'sigmoid', 'tanh', 'leaky_relu', 'hardsigmoid']),
      min: z.optional(z.nullable(z.number())),
      max: z.optional(z.nullable(z.number())),
      alpha: z.optional(z.number().check(z.nonnegative('expected a number from 0 on: it never falls'))),
      beta: z.optional(z.number()),
    }),
  ),
};

type RawFused = z.infer<typeof fields.fused>;

function fusedOf(raw: RawFused): FusedFunction | null {
  if (!raw) return null;
  const { op, min, max, alpha = 0, beta = 0 } = raw;
  return { op, lower: min ?? Number.NEGATIVE_INFINITY, upper: max ?? Number.POSITIVE_INFINITY, alpha, beta };
}

const windows = { ...windowFields, kernel_size: perPlace, groups: z.optional(whole) };

/** Weights as a convolution has them, output channels first; the window is read backwards. */
export function transposedFloatProduct(name: string, spatial: number): Op {
  const op = floatProduct(name, spatial);
  return {
    ...op,
    schema: () => z.object({ ...op.schema().shape, output_padding: outputPadding }),
    read: (layer) => readProduct(layer, spatial, readTransposed),
  };
}

type ReadWindow = (layer: RawLayer, kernel: readonly number[]) => Window | null;
const readPlain: ReadWindow = (layer, kernel) => readWindow(layer, kernel, false);
const readTransposed: ReadWindow = (layer, kernel) => readWindow(layer, kernel, true);

/** spatial: how many axes a convolution's window has; 0: rows along the last axis. */
export function floatProduct(name: string, spatial: number): Op {
  return {
    name,
    called: name.replace('_float', ' of float weights'),
    schema: () => z.object({ ...layerFields, ...fields, ...(spatial > 0 ? windows : {}), output: outputSchema }),
    inputs: [1, 1],
    needs: ['weight', 'out_features', ...(spatial > 0 ? ['kernel_size'] : []), 'output'],
    channels: spatial > 0 ? 'layout' : 'last',
    dims: (layer) => (spatial > 0 ? imageDims(layer) : rowDims(layer)),
    terms(_, form) {
      const { weights, outFeatures } = (form as TensorForm).attributes as FloatProductAttributes;
      return weights / outFeatures;
    },
    read: (layer) => readProduct(layer, spatial, readPlain),
  };
}

async function readProduct(layer: RawLayer, spatial: number, windowOf: ReadWindow): Promise<ReadLayer | null> {
  expectInput(layer, ['float32'], 'put a dequantize layer before it');
  const table = layer.fields && (await tableOf(layer, 'weight', 'float32', FLOAT32));
  const attributes = table && (await attributesOf(layer, table.count, spatial, windowOf));
  return attributes && layer.output
    ? { form: { ...tensorForm(attributes, activationOf(layer)), table: table.read }, output: layer.output }
    : null;
}

async function attributesOf(
  layer: RawLayer,
  weights: number,
  spatial: number,
  windowOf: ReadWindow,
): Promise<FloatProductAttributes | null> {
  const bias = await floatsOf(layer, 'bias');
  if (!layer.fields || bias === undefined) return null;
  const {
    out_features: out,
    kernel_size: size,
    groups = 1,
    fused,
  } = layer.fields as Record<'out_features', number> & {
    fused?: RawFused;
    kernel_size?: number | number[];
    groups?: number;
  };
  const kernel = spatial === 0 ? [] : Array.isArray(size) ? size : new Array<number>(spatial).fill(size!);
  const window = spatial === 0 ? null : windowOf(layer, kernel);
  const rest = weights / out / sizeOf(kernel);
  const fits =
    Number.isInteger(rest) && out % groups === 0 && kernel.length === spatial && (bias?.length ?? out) === out;
  if (!fits) {
    const expected = `expected [${out}, in / ${groups}${kernel.map((n) => `, ${n}`).join('')}] weights and ${out} of the bias`;
    const got = `got ${weights}${bias ? ` and ${bias.length}` : ''}`;
    layer.checks.problem('weight', [...layer.place, 'weight'], `${expected}, ${got}`);
    return null;
  }
  return spatial > 0 && !window ? null : { weights, bias, outFeatures: out, window, groups, fused: fusedOf(fused) };
}

function rowDims({ form, inputs: [{ name, shape }] }: ShapedLayer): readonly number[] | string {
  const { weights, outFeatures } = (form as TensorForm).attributes as FloatProductAttributes;
  const inFeatures = weights / outFeatures;
  if (shape.dims.at(-1) === inFeatures) return [...shape.dims.slice(0, -1), outFeatures];
  return `expected an input whose last axis is ${inFeatures}, got ${printable(name)} of shape ${dimsText(shape.dims)}`;
}

function imageDims({ form, inputs: [{ name, shape }], layout }: ShapedLayer): readonly number[] | string {
  const { weights, outFeatures, groups, window } = (form as TensorForm).attributes as FloatProductAttributes;
  const spatial = window!.kernel.length;
  const given = `${printable(name)} of shape ${dimsText(shape.dims)}`;
  const axis = layout === 'NCHW' ? 0 : spatial;
  const channels = (weights / outFeatures / sizeOf(window!.kernel)) * groups;
  if (shape.dims.length !== spatial + 1 || shape.dims[axis] !== channels) {
    return `expected an input of ${channels} channels and ${spatial} axes of places, got ${given}`;
  }
  const places = shape.dims.filter((_, i) => i !== axis);
  const output = windowDims(window!, places);
  if (output.some((size) => size < 1)) return doesNotFit(window!, places, given);
  return axis === 0 ? [outFeatures, ...output] : [...output, outFeatures];
}
