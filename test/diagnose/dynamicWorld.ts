import { compare } from '../../src/compare/compare.js';
import { withRange } from '../../src/kernels/steps/dynamic.js';
import type { DynamicStep, Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { Layer, ProductForm } from '../../src/nouns/model.js';
import type { DiagnosisReport } from '../../src/nouns/report.js';
import { rangeOfRow } from '../../src/replay/layer.js';
import { replayProduct } from '../../src/replay/product.js';
import { dynamicSteps } from '../support/steps.js';
import { capturedValue, captureOf, modelOf, quant, randomFrom } from './world.js';

/** A dynamic layer: floats in five calls of 12 samples each. */
export const SAMPLES = 60;
const BATCH = 12;
export const IN = 16;
export const OUT = 16;

const random = randomFrom(404);
const float = () => Math.fround(random.normal());
const x = Float32Array.from({ length: SAMPLES * IN }, () => float() + 0.3);
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

/** What a kernel makes of the layer: each batch has its own scale. */
export function outputsOf(by: ProductSteps, linear: Product = truth, reduceRange = false): Float32Array {
  const values = new Float32Array(SAMPLES * OUT);
  const rows = by.dynamic!.grain === 'row' ? 1 : BATCH;
  for (let row = 0; row < SAMPLES; row += rows) {
    const batch = x.subarray(row * IN, (row + rows) * IN);
    const { min, max } = rangeOfRow(batch);
    const input = by.dynamic!.chooseQuantParams(min, max, reduceRange);
    const codes = { rows, cols: IN, data: Uint8Array.from(batch, by.dynamic!.quantize.prepare(input)) };
    values.set(replayProduct(by, { ...linear, input }, codes).data, row * OUT);
  }
  return values;
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
}

export async function diagnose(
  declared: Product,
  captured: Float32Array,
  as: Declared,
): Promise<DiagnosisReport | null> {
  const { engine, reduceRange = false, candidate } = as;
  const { layers, ...model } = modelOf(declared, { framework: 'pytorch', flow: 'dynamic', engine });
  const form = { ...layers[0].form, dynamic: { reduceRange } } as ProductForm;
  const layer: Layer = { ...layers[0], op: 'linear_dynamic', inputs: ['x'], form };
  const inputs = [{ name: 'x', params: { dtype: 'float32' as const } }];
  const values = { x: capturedValue(x, SAMPLES), fc: capturedValue(captured, SAMPLES) };
  const batchSizes = new Array<number>(SAMPLES / BATCH).fill(BATCH);
  const capture = { ...captureOf(values, SAMPLES), batchSizes };
  const options = candidate && { candidate: captureOf({ fc: capturedValue(candidate, SAMPLES) }, SAMPLES) };
  const report = await compare({ ...model, inputs, layers: [layer] }, capture, options);
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
