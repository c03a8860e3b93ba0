/** What convolutions have in common: a product whose rows are patches. */
import * as z from 'zod/mini';
import { shapeText } from '../../load/npy.js';
import type { NumericArray } from '../../nouns/array.js';
import type { ProductForm, WeightSource } from '../../nouns/model.js';
import type { Patch } from '../../nouns/window.js';
import { windowDims } from '../../tensor/patches.js';
import { inBits } from '../../tensor/rows.js';
import { channelsOf, dimsText, sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import type { Op, RawLayer, ShapedLayer } from '../op.js';
import { expectInput } from './inputs.js';
import { type WeightField, weightField } from './numbers.js';
import { checkLengths, productFields, productParams, type WeightReading } from './product.js';
import { layerFields, outputSchema } from './schema.js';
import { FLOAT } from './valueParams.js';
import { doesNotFit, factor, outputPadding, readWindow, whatFits, windowFields } from './window.js';

const ONLY_ZEROS = 'expected "zeros" (other modes are a pad layer before it, and padding 0 here)';

const KERNEL_AXES = ['kernel_d', 'kernel_h', 'kernel_w'];

/** On codes. spatial: how many axes its windows have, 1 to 3. */
export function convolution(name: string, spatial: number): Op {
  return convolving({ name, spatial, transposed: false, isDynamic: false });
}

/** Its kernel is not flipped; taps between places read nothing. */
export function transposedConvolution(name: string, spatial: number): Op {
  return convolving({ name, spatial, transposed: true, isDynamic: false });
}

/** One that quantizes float images itself, with a scale chosen from all that a call reads (TFLite: from each image). */
export function dynamicConvolution(name: string, spatial: number): Op {
  return { ...convolving({ name, spatial, transposed: false, isDynamic: true }), called: `dynamic ${onCodes(name)}` };
}

export function dynamicTransposedConvolution(name: string, spatial: number): Op {
  return { ...convolving({ name, spatial, transposed: true, isDynamic: true }), called: `dynamic ${onCodes(name)}` };
}

/** The op that does the same on codes. */
const onCodes = (name: string) => name.replace('_dynamic', '');

interface Convolving {
  readonly name: string;
  readonly spatial: number;
  readonly transposed: boolean;
  readonly isDynamic: boolean;
}

function convolving({ name, spatial, transposed, isDynamic }: Convolving): Op {
  const channels = transposed ? ['in_channels', 'out_channels/groups'] : ['out_channels', 'in_channels/groups'];
  const axes = [...channels, ...KERNEL_AXES.slice(-spatial)];
  return {
    name,
    schema: () =>
      z.object({
        ...layerFields,
        ...productFields,
        ...windowFields,
        ...(transposed ? { output_padding: outputPadding } : {}),
        groups: z.optional(factor),
        padding_mode: z.optional(z.literal('zeros', ONLY_ZEROS)),
        depthwise: z.optional(z.boolean()),
        same: z.optional(z.boolean()),
        ...(isDynamic ? { reduce_range: z.optional(z.boolean()) } : {}),
        output: outputSchema,
      }),
    inputs: [1, 1],
    needs: ['weight', 'weight_scale', 'output'],
    channels: 'layout',
    dims: convolutionDims,
    fits: fieldsThatFit,
    async read(layer) {
      if (isDynamic) expectInput(layer, ['float32'], `it quantizes its own input; use op "${onCodes(name)}" on codes`);
      else expectInput(layer, ['uint8', 'int8'], 'put a quantize layer before it', ['int16', 'uint16']);
      const { fields, output } = layer;
      const groups = typeof fields?.groups === 'number' ? fields.groups : 1;
      const reading = weightOf(layer, axes, groups, transposed);
      const params = await productParams(layer, reading);
      const window = readWindow(layer, reading.kernel(), transposed);
      if (!fields || !params || !output || !window) return null;
      return {
        form: {
          kind: 'product',
          dynamic: isDynamic ? { reduceRange: fields.reduce_range === true } : null,
          patch: { window, groups, ...kindsOf(fields) },
          ...params,
        },
        output: isDynamic && output.dtype !== 'int32' ? FLOAT : output, // int32: the sums themselves
      };
    },
  };
}

/** TFLite's: an operator of its own, and padding that follows from the input's size. */
function kindsOf({ depthwise, same }: NonNullable<RawLayer['fields']>): Pick<Patch, 'depthwise' | 'same'> {
  return { ...(depthwise === true ? { depthwise } : {}), ...(same === true ? { same } : {}) };
}

/** [out, in / groups, ...kernel], or [in, out / groups, ...kernel] of a transposed one. */
function weightOf(layer: RawLayer, axes: readonly string[], groups: number, transposed: boolean) {
  const { place, checks, arrays, name } = layer;
  let kernel: readonly number[] | null = null;
  const reading: WeightReading & { kernel(): readonly number[] | null } = {
    kernel: () => kernel,
    async read(raw, dtype) {
      const weight = await weightField(raw, dtype, axes, [...place, 'weight'], checks, arrays);
      if (!weight) return null;
      kernel = weight.shape.slice(2);
      if (weight.shape[0] % groups === 0) return tapByTap(weight, groups, transposed);
      const divisors = Array.from({ length: weight.shape[0] }, (_, i) => i + 1).filter(
        (d) => weight.shape[0] % d === 0,
      );
      const fits = divisors.filter((own) => own < groups).at(-1);
      const got = `got ${shapeText(weight.shape)}; groups ${groups} do not divide ${weight.shape[0]}, ${fits} would`;
      checks.problem('groups', [...place, 'weight'], `expected ${axes[0]} that groups divide, ${got}`);
      return null;
    },
    check({ outFeatures }, lists) {
      const each = transposed && groups > 1 ? `: ${groups} groups of ${outFeatures / groups}` : '';
      checkLengths(lists, outFeatures, `out_channels of ${printable(name)}${each}`, checks);
    },
  };
  return reading;
}

/** Rows [out, taps, in / groups], channels fastest: the order of patches. */
function tapByTap({ shape, read, release }: WeightField, groups: number, transposed: boolean): WeightSource {
  const [first, second, ...kernel] = shape;
  const taps = sizeOf(kernel);
  const inChannels = transposed ? first / groups : second;
  const outChannels = transposed ? second * groups : first;
  return {
    outFeatures: outChannels,
    inFeatures: taps * inChannels,
    async read() {
      const stored = await read();
      if (taps === 1 && !transposed) return stored; // rows as they are
      const rows = stored instanceof Int8Array ? new Int8Array(stored.length) : new Int16Array(stored.length);
      const [source, target] = [inBits(stored), inBits(rows)];
      const step = transposed ? second * taps : taps;
      for (let out = 0; out < outChannels; out++) {
        const group = Math.floor(out / (outChannels / groups));
        const pair = transposed ? group * inChannels * second + (out % second) : out * second;
        turn(source, target, { from: pair * taps, to: out * taps * inChannels, taps, channels: inChannels, step });
      }
      release?.(stored);
      return rows;
    },
  };
}

type Turned = Readonly<Record<'from' | 'to' | 'taps' | 'channels' | 'step', number>>;

/** Of one channel's weights: a function of its own is compiled once for all layers, and their 10 million weights take half as long. */
function turn(source: NumericArray, target: NumericArray, { from, to, taps, channels, step }: Turned): void {
  for (let tap = 0, at = to; tap < taps; tap++) {
    for (let c = 0, cell = from + tap; c < channels; c++, cell += step) target[at++] = source[cell];
  }
}

export function convolutionDims({ form, inputs: [{ name, shape }], layout }: ShapedLayer): readonly number[] | string {
  const { weight, patch } = form as ProductForm;
  const { window, groups } = patch!;
  const spatial = window.kernel.length;
  const given = `${printable(name)} of shape ${dimsText(shape.dims)}`;
  const order = layout === 'NCHW' ? 'channels first' : 'channels last';
  if (shape.dims.length !== spatial + 1) return `expected an input of ${spatial + 1} axes (${order}), got ${given}`;
  const channels = (weight.inFeatures / sizeOf(window.kernel)) * groups;
  const axis = layout === 'NCHW' ? 0 : spatial;
  if (shape.dims[axis] !== channels)
    return wrongChannels(channels, weight.outFeatures, patch!, shape.dims, axis, given);
  const places = shape.dims.filter((_, i) => i !== axis);
  const output = windowDims(window, places);
  if (output.some((size) => size < 1)) return doesNotFit(window, places, given);
  return axis === 0 ? [weight.outFeatures, ...output] : [...output, weight.outFeatures];
}

function fieldsThatFit({ form, inputs: [{ shape }], layout }: ShapedLayer, dims: readonly number[]): string | null {
  const { weight, patch } = form as ProductForm;
  const axis = layout === 'NCHW' ? 0 : shape.dims.length - 1;
  if (dims.length !== shape.dims.length || dims[axis] !== weight.outFeatures) return null;
  const [input, places] = [shape.dims, dims].map((all) => all.filter((_, i) => i !== axis));
  return whatFits(patch!.window, input, places);
}

function wrongChannels(
  channels: number,
  outChannels: number,
  { groups, window }: Patch,
  dims: readonly number[],
  axis: number,
  given: string,
): string {
  const expected = `expected ${channels} input channels (in_channels/groups ${channels / groups} of the weight, groups ${groups})`;
  const other = axis === 0 ? dims.at(-1) : dims[0];
  const fits = channelsOf({ dims, channelAxis: axis }) / (channels / groups);
  const fixes = [
    ...(other === channels
      ? [`if its channels are ${axis === 0 ? 'last, say "layout": "NHWC"' : 'first, say "layout": "NCHW"'}`]
      : []),
    ...(window.transposed ? [] : otherOrder([outChannels, channels / groups, ...window.kernel], dims[axis] / groups)),
    ...(Number.isInteger(fits) && fits > 0 ? [`groups ${fits} would fit`] : []),
  ];
  const own = dims[axis] / groups;
  if (fixes.length === 0 && Number.isInteger(own)) fixes.push(`weights of in_channels/groups ${own} would fit`);
  return `${expected}, got ${given}${fixes.length > 0 ? `; ${fixes.join(', or ')}` : ''}`;
}

/** Weights of a square kernel as other frameworks store them; inChannels: what a group of the input has. */
function otherOrder(stored: readonly number[], inChannels: number): string[] {
  const isSquare = (kernel: readonly number[]) => kernel.every((size) => size === kernel[0]);
  if (stored.at(-1) === inChannels && isSquare(stored.slice(1, -1)))
    return ['if they are stored [out, ...kernel, in], transpose them to [out, in, ...kernel]'];
  return stored.at(-2) === inChannels && isSquare(stored.slice(0, -2))
    ? ['if they are stored [...kernel, in, out], transpose them to [out, in, ...kernel]']
    : [];
}
