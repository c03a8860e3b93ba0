import { compare } from '../../src/compare/compare.js';
import { withRange } from '../../src/kernels/steps/dynamic.js';
import type { DynamicStep, Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { Layer, Model, ProductForm } from '../../src/nouns/model.js';
import type { DiagnosisReport, Report } from '../../src/nouns/report.js';
import { rangeOfRow } from '../../src/numeric/extremes.js';
import { replayProduct } from '../../src/replay/product.js';
import { dynamicSteps } from '../support/steps.js';
import { capturedValue, captureOf, modelOf, quant, randomFrom } from './world.js';

/** A dynamic layer: floats in five calls of 12 samples each. */
export const SAMPLES = 60;
export const BATCH = 12;
export const IN = 16;
export const OUT = 16;

const random = randomFrom(404);
const float = () => Math.fround(random.normal());
export const x = Float32Array.from({ length: SAMPLES * IN }, () => float() + 0.3);
export const truth: Product = {
  perChannel: true,
  weightScale: Float64Array.from({ length: OUT }, () => Math.fround(0.002 + 0.004 * random.uniform())),
  weightZeroPoint: Int32Array.of(0),
  bias: Float32Array.from({ length: OUT }, float),
  biasInt32: null,
  activation: 'none',
  outFeatures: OUT,
  inFeatures: IN,
  weight: Int8Array.from({ length: OUT * IN }, () => random.integer(-127, 127)),
  input: quant(1, 0),
  output: { dtype: 'float32' },
};

/** Floats in calls of so many samples, and whether codes end at 127. */
export interface Calls {
  readonly x: Float32Array;
  readonly batch: number;
  readonly reduceRange: boolean;
}

/** What a kernel makes of a layer: each call, or each row, has its own scale. */
export function outputsIn({ x, batch, reduceRange }: Calls, by: ProductSteps, linear: Product): Float32Array {
  const { inFeatures, outFeatures } = linear;
  const samples = x.length / inFeatures;
  const values = new Float32Array(samples * outFeatures);
  const rows = by.dynamic!.grain === 'row' ? 1 : batch;
  for (let row = 0; row < samples; row += rows) {
    const call = x.subarray(row * inFeatures, (row + rows) * inFeatures);
    const { min, max } = rangeOfRow(call);
    const input = by.dynamic!.chooseQuantParams(min, max, reduceRange);
    const codes = { rows, cols: inFeatures, data: Uint8Array.from(call, by.dynamic!.quantize.prepare(input)) };
    values.set(replayProduct(by, { ...linear, input }, codes).data, row * outFeatures);
  }
  return values;
}

/** Of this layer. */
export function outputsOf(
  by: ProductSteps,
  linear: Product = truth,
  reduceRange = false,
  inputs: Float32Array = x,
): Float32Array {
  return outputsIn({ x: inputs, batch: BATCH, reduceRange }, by, linear);
}

/** The report of a layer that such calls were captured of. */
export function compareCalls(
  { x, batch, reduceRange }: Calls,
  declared: Product,
  engine: string,
  captured: Float32Array,
  candidate?: Float32Array,
): Promise<Report> {
  const samples = x.length / declared.inFeatures;
  const { layers, ...model } = modelOf(declared, producerOf(engine));
  const form = { ...layers[0].form, dynamic: { reduceRange } } as ProductForm;
  const layer: Layer = { ...layers[0], op: 'linear_dynamic', inputs: ['x'], form };
  const inputs = [{ name: 'x', params: { dtype: 'float32' as const } }];
  const values = { x: capturedValue(x, samples), fc: capturedValue(captured, samples) };
  const capture = { ...captureOf(values, samples), batchSizes: new Array<number>(samples / batch).fill(batch) };
  const options = candidate && { candidate: captureOf({ fc: capturedValue(candidate, samples) }, samples) };
  return compare({ ...model, inputs, layers: [layer] }, capture, options);
}

function producerOf(engine: string): Model['producer'] {
  return engine === 'torchao'
    ? { framework: 'pytorch', flow: 'torchao', kernel: engine }
    : { framework: 'pytorch', flow: 'dynamic', engine };
}

/** A kernel with other steps of its dynamic layer. */
export function dynamicWith(kernel: string, change: (step: DynamicStep) => DynamicStep): ProductSteps {
  const steps = dynamicSteps(kernel)!;
  return { ...steps, dynamic: change(steps.dynamic!) };
}

export interface Declared {
  readonly engine: string;
  readonly reduceRange?: boolean;
  /** What is judged against the capture, which is then as declared. */
  readonly candidate?: Float32Array;
  readonly x?: Float32Array;
}

export async function diagnose(
  declared: Product,
  captured: Float32Array,
  as: Declared,
): Promise<DiagnosisReport | null> {
  const { engine, reduceRange = false, candidate, x: inputs = x } = as;
  const report = await compareCalls({ x: inputs, batch: BATCH, reduceRange }, declared, engine, captured, candidate);
  return (report.candidate_layers ?? report.layers)[0].diagnosis;
}

/** What a script spreads over other codes, where the file says 0..127. */
export const RAISED: readonly [what: string, steps: ProductSteps][] = [
  ['symmetric, per row', dynamicWith('numpy', (step) => withRange(step, { grain: 'row', codes: 'symmetric' }))],
  ['symmetric', dynamicWith('numpy-float32', (step) => withRange(step, { codes: 'symmetric' }))],
  ['eight bits', dynamicWith('numpy', (step) => withRange(step, { codes: '8 bits' }))],
];

/** Ranges that no cause has. */
export const NEARLY: readonly [but: string, move: (min: number, max: number) => readonly [number, number]][] = [
  ['the range is cut by a tenth', (min, max) => [min * 0.9, max * 0.9]],
  ['the range of the calls before is kept', (min, max) => [Math.min(min, -9), Math.max(max, 9)]],
];
