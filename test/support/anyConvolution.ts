/** Convolutions of one to three axes, also transposed, dynamic or channels last, by plain loops; every number they read may be changed. */
import { compare } from '../../src/compare/compare.js';
import { productSteps } from '../../src/kernels/kernel.js';
import { kernelByName } from '../../src/kernels/registry.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { Model, ProductLayer } from '../../src/nouns/model.js';
import type { QuantParams, Shape } from '../../src/nouns/value.js';
import { finishProduct } from '../../src/replay/product.js';
import { fromRows, toRows } from '../../src/tensor/rows.js';
import { indicesOf, sizeOf } from '../../src/tensor/shape.js';
import { validateModel } from '../../src/validate/model.js';
import { randomFrom } from '../diagnose/world.js';
import { captureOf } from './convolution.js';

export interface Form {
  readonly op: string;
  /** [C, ...] whatever the layout. */
  readonly input: readonly number[];
  /** As the file has it: [out, in / groups, ...kernel], or [in, out / groups, ...kernel] of a transposed one. */
  readonly weight: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly layout?: 'NHWC';
  /** What oneDNN fuses on real values. */
  readonly curve?: 'hardswish' | 'silu';
  /** Other than 0. */
  readonly weightZeroPoints?: true;
}

export const isFused = ({ op, curve }: Form) => op.endsWith('_add') || curve !== undefined;
const kernelOf = (form: Form) => (isFused(form) ? 'onednn-pointwise' : 'fbgemm');

/** What a value multiplies: its output channel, channel of the group, tap, and where. */
export interface At {
  readonly n: number;
  readonly group: number;
  readonly c: number;
  readonly tap: readonly number[];
  readonly out: readonly number[];
}

export type WeightAt = (n: number, c: number, tap: readonly number[]) => number;

/** What is changed on the way to the codes. */
export interface Change {
  /** Over the declared output. */
  readonly window?: Partial<Pick<Form, 'stride' | 'padding' | 'dilation'>>;
  /** A code in place of the zero point, or another place. */
  readonly fill?: number | ((at: Pick<At, 'tap' | 'out'>, form: Form) => number | null);
  readonly channel?: (at: At, form: Form) => number;
  readonly weight?: (at: At, own: WeightAt, form: Form) => number;
  readonly code?: (code: number) => number;
  readonly zeroPoint?: number;
  readonly withoutWeightZeroPoints?: true;
  readonly product?: (product: Product) => Partial<Product>;
  readonly steps?: Partial<ProductSteps>;
  /** What becomes of each product, and of each sum, [samples, outputs, ...places]. */
  readonly multiplied?: (product: number) => number;
  readonly summed?: (sum: number, i: number) => number;
  readonly stored?: (code: number) => number;
  /** Of the second value. */
  readonly added?: (code: number) => number;
}

export interface Scene {
  readonly form: Form;
  readonly samples: number;
  /** Codes [samples, C, ...]. */
  readonly x: Uint8Array;
  /** Of a dynamic one: the floats that they are quantized from. */
  readonly floats: Float32Array | null;
  readonly weight: Int8Array;
  /** By output channel. */
  readonly weightZero: readonly number[];
  /** Codes of a second value that is added. */
  readonly added: Uint8Array | null;
  readonly params: QuantParams;
  readonly raw: Record<string, unknown>;
}

export const isDynamic = ({ op }: Form) => op.endsWith('_dynamic');
export const isTransposed = ({ op }: Form) => op.includes('transpose');
export const outputsOf = (form: Form) => (isTransposed(form) ? form.weight[1] * form.groups : form.weight[0]);
export const channelsOfGroup = (form: Form) => form.input[0] / form.groups;

export function outputDims(form: Form): number[] {
  const { input, weight, stride, padding, dilation } = form;
  return input.slice(1).map((size, axis) => {
    const reach = dilation[axis] * (weight[axis + 2] - 1) + 1;
    const ends = padding[axis][0] + padding[axis][1];
    return isTransposed(form)
      ? (size - 1) * stride[axis] - ends + reach
      : Math.floor((size + ends - reach) / stride[axis]) + 1;
  });
}

/** coarse: powers of two, and steps of the output not far above those of the sums: ties, and biases whose rounding shows. */
export function sceneOf(form: Form, { samples = 6, seed = 1, zeroPoint = 117, coarse = false } = {}): Scene {
  const random = randomFrom(seed);
  const code = () => (coarse ? zeroPoint + random.integer(-14, 14) : random.integer(40, 200));
  const x = Uint8Array.from({ length: samples * sizeOf(form.input) }, code);
  const most = coarse ? 6 : 90;
  const weight = Int8Array.from({ length: sizeOf(form.weight) }, () => random.integer(-most, most));
  const sx = coarse ? 2 ** -6 : 0.02;
  const outputs = outputsOf(form);
  const sums = channelsOfGroup(form) * sizeOf(form.weight.slice(2));
  const perChannel = !isTransposed(form);
  const ofDynamic = () => Math.fround((0.5 + 0.5 * random.uniform()) / (60 * Math.sqrt(sums)));
  const scale = () =>
    isDynamic(form) ? ofDynamic() : coarse ? 2 ** -random.integer(7, 8) : Math.fround(0.003 + 0.003 * random.uniform());
  const bias = () =>
    coarse
      ? random.integer(-25, 25) * 2 ** -14 + (random.uniform() < 0.5 ? 0 : random.integer(-9, 9) * 2 ** -18)
      : Math.fround(random.normal() * 0.3);
  const nested = (from: number, [first, ...rest]: readonly number[]): unknown =>
    rest.length === 0
      ? [...weight.subarray(from, from + first)]
      : Array.from({ length: first }, (_, i) => nested(from + i * sizeOf(rest), rest));
  const { op, stride, padding, dilation, groups, curve } = form;
  const weightZero = Array.from({ length: outputs }, () =>
    form.weightZeroPoints ? random.integer(coarse ? -2 : -9, coarse ? 2 : 9) : 0,
  );
  const layer = {
    name: 'y',
    op,
    input: op.endsWith('_add') ? ['x', 'a'] : ['x'],
    weight: nested(0, form.weight),
    weight_scale: perChannel ? Array.from({ length: outputs }, scale) : scale(),
    ...(form.weightZeroPoints && { weight_zero_point: weightZero }),
    bias: Array.from({ length: outputs }, bias),
    bias_dtype: 'float32',
    ...{ stride, padding, dilation, groups, ...(curve && { activation: curve }) },
    output: isDynamic(form)
      ? { dtype: 'float32' }
      : { dtype: 'uint8', scale: coarse ? 2 ** -12 : 0.02 * 0.0045 * 60 * Math.sqrt(sums), zero_point: 121 },
  };
  const shape = form.layout ? [...form.input.slice(1), form.input[0]] : form.input;
  const dims = [outputs, ...outputDims(form)];
  const added = op.endsWith('_add')
    ? Uint8Array.from({ length: samples * sizeOf(dims) }, () => random.integer(coarse ? 80 : 0, coarse ? 100 : 255))
    : null;
  const a = { name: 'a', dtype: 'uint8', scale: layer.output.scale! / 2, zero_point: 90, shape: dims };
  const raw = {
    format: 'qdiff-model',
    version: 1,
    layout: form.layout ?? 'NCHW',
    producer: isFused(form)
      ? { framework: 'pytorch', flow: 'pt2e-lowered' }
      : { framework: 'pytorch', flow: 'eager', engine: 'fbgemm' },
    inputs: [
      isDynamic(form)
        ? { name: 'x', dtype: 'float32', shape }
        : { name: 'x', dtype: 'uint8', scale: sx, zero_point: zeroPoint, shape },
      ...(added ? [a] : []),
    ],
    layers: [layer],
  };
  const params: QuantParams = { dtype: 'uint8', scale: sx, zeroPoint, quantMin: 0, quantMax: 255 };
  const scene = { form, samples, x, floats: null, weight, weightZero, added, params, raw };
  return isDynamic(form) ? quantizing(scene) : scene;
}

/** The same codes as floats, and what the kernel makes of them. */
function quantizing(scene: Scene): Scene {
  const { form, params, x } = scene;
  const { scale, zeroPoint } = params;
  const floats = Float32Array.from(x, (code) => (code - zeroPoint) * scale);
  const { dynamic } = productSteps(kernelByName(kernelOf(form)), form.op)!;
  const chosen = dynamic!.chooseQuantParams(Math.min(...floats), Math.max(...floats), false);
  return { ...scene, floats, x: Uint8Array.from(floats, dynamic!.quantize.prepare(chosen)), params: chosen };
}

/** Where a tap reads along an axis; null: nothing. */
function readAt(form: Form, axis: number, out: number, tap: number): number | null {
  const { stride, padding, dilation, input } = form;
  const size = input[axis + 1];
  const at = isTransposed(form)
    ? (out + padding[axis][0] - tap * dilation[axis]) / stride[axis]
    : out * stride[axis] - padding[axis][0] + tap * dilation[axis];
  return Number.isInteger(at) && at >= 0 && at < size ? at : null;
}

/** Sums [samples, outputs, ...places]. */
export function sumsOf({ form, samples, x, weight, weightZero, params }: Scene, change: Change = {}): Int32Array {
  const declared = outputDims(form);
  const used = { ...form, ...change.window };
  const [outputs, own, kernel] = [outputsOf(form), channelsOfGroup(form), form.weight.slice(2)];
  const [places, taps, cells] = [sizeOf(declared), sizeOf(kernel), sizeOf(form.input.slice(1))];
  const zero = change.zeroPoint ?? params.zeroPoint;
  const tapIndex = (tap: readonly number[]) => tap.reduce((index, at, axis) => index * kernel[axis] + at, 0);
  const perGroup = outputs / form.groups;
  const zeros = change.withoutWeightZeroPoints ? weightZero.map(() => 0) : weightZero;
  const weightAt: WeightAt = (n, c, tap) => {
    const group = Math.floor(n / perGroup);
    const pair = isTransposed(form) ? (group * own + c) * perGroup + (n % perGroup) : n * own + c;
    return weight[pair * taps + tapIndex(tap)];
  };
  const sums = new Int32Array(samples * outputs * places);
  const dims = form.input.slice(1);
  for (let place = 0; place < places; place++) {
    const out = indicesOf(place, declared);
    for (let t = 0; t < taps; t++) {
      const tap = indicesOf(t, kernel);
      const reads = tap.map((k, axis) => readAt(used, axis, out[axis], k));
      const isHole = reads.includes(null);
      const filled = typeof change.fill === 'function' ? change.fill({ tap, out }, used) : change.fill;
      const cell = isHole ? 0 : reads.reduce<number>((index, at, axis) => index * dims[axis] + at!, 0);
      for (let n = 0; n < outputs; n++) {
        for (let c = 0; c < own; c++) {
          const at = { n, group: Math.floor(n / perGroup), c, tap, out };
          const w = change.weight ? change.weight(at, weightAt, form) : weightAt(n, c, tap);
          const channel = change.channel ? change.channel(at, form) : at.group * own + c;
          for (let sample = 0; sample < samples; sample++) {
            const code = isHole ? (filled ?? params.zeroPoint) : x[(sample * form.input[0] + channel) * cells + cell];
            const product = ((change.code?.(code) ?? code) - zero) * (w - zeros[n]);
            sums[(sample * outputs + n) * places + place] += change.multiplied?.(product) ?? product;
          }
        }
      }
    }
  }
  return change.summed ? sums.map(change.summed) : sums;
}

export function modelOf({ raw }: Scene, change: object = {}): Promise<Model> {
  const [layer] = raw.layers as object[];
  return validateModel({ ...raw, layers: [{ ...layer, ...change }] }, 'model.json', 'none');
}

const shapeOf = (form: Form): Shape => ({ dims: [outputsOf(form), ...outputDims(form)], channelAxis: 0 });

/** What a script stores, [samples, outputs, ...places] as the layout has it. */
export async function codesOf(
  scene: Scene,
  change: Change = {},
  kernel = kernelOf(scene.form),
): Promise<Int32Array | Float32Array> {
  const model = await modelOf(scene);
  const layer = model.layers[0] as ProductLayer;
  const addend = scene.added && model.inputs[1].params;
  const { weight, patch: _, ...params } = layer.form;
  const { outFeatures, inFeatures } = weight;
  const own = {
    ...params,
    outFeatures,
    inFeatures,
    weight: await weight.read(),
    input: scene.params,
    output: layer.output!,
    ...(addend && { addend }),
  };
  const product = { ...own, ...change.product?.(own) };
  const op = isFused(scene.form) || isDynamic(scene.form) ? layer.op : 'linear';
  const steps = { ...productSteps(kernelByName(kernel), op)!, ...change.steps };
  const rows = toRows(sumsOf(scene, change), shapeOf(scene.form)) as Int32Array;
  const added =
    scene.added && toRows(change.added ? Int32Array.from(scene.added, change.added) : scene.added, shapeOf(scene.form));
  const codes = finishProduct(steps, product, rows, null, added) as Int32Array | Float32Array;
  const first = fromRows(change.stored ? codes.map(change.stored) : codes, shapeOf(scene.form));
  return inLayout(scene, first, shapeOf(scene.form).dims);
}

/** Channels first to what the model says. */
function inLayout<A extends NumericArray>({ form }: Scene, values: A, dims: readonly number[]): A {
  if (!form.layout) return values;
  return toRows(values, { dims, channelAxis: 0 }) as A;
}

/** The diagnosis of a candidate beside a right capture. */
export async function diagnosisOf(scene: Scene, y: NumericArray) {
  const model = await modelOf(scene);
  const { samples } = scene;
  const x = inLayout<NumericArray>(scene, scene.floats ?? scene.x, scene.form.input);
  const candidate = captureOf(model, samples, { y });
  const report = await compare(
    model,
    captureOf(model, samples, { x, y: await codesOf(scene), ...(scene.added && { a: scene.added }) }),
    { candidate },
  );
  if (report.layers[0].status !== 'match') throw new Error(`the scene itself differs: ${report.layers[0].mismatched}`);
  return report.candidate_layers![0].diagnosis;
}
