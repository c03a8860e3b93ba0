/** Another range of a dynamic layer's input, and what else is wrong beside it. */
import { expect, test } from 'vitest';
import { scriptedQuantize } from '../../src/diagnose/alternatives/conversions.js';
import { dynamicStep, withRange } from '../../src/kernels/steps/dynamic.js';
import { RANGE_FORMULAS } from '../../src/kernels/steps/rangeFormulas.js';
import { downward } from '../../src/kernels/steps/round.js';
import type { DynamicStep, Product } from '../../src/nouns/kernel.js';
import { dynamicSteps } from '../support/steps.js';
import { diagnose, dynamicWith, OUT, outputsOf, truth } from './dynamicWorld.js';

type Move = (step: DynamicStep) => DynamicStep;

const by127: Move = (step) => withRange(step, { formula: RANGE_FORMULAS.symmetric127 });
const by254: Move = (step) => withRange(step, { formula: RANGE_FORMULAS.oneLevelLess });
const byCall: Move = (step) => withRange(step, { grain: 'batch' });
const byRow: Move = (step) => withRange(step, { grain: 'row' });
const floored: Move = (step) =>
  dynamicStep({
    ...step,
    quantize: scriptedQuantize({ round: downward, zeroPointFirst: true, float64: false, by: 'division' }),
  });

const withoutBias = { ...truth, bias: null };
const twiceTheBias = { ...truth, bias: truth.bias!.map((b) => 2 * b) };
const oneScale = { ...truth, weightScale: Float64Array.of(Math.max(...truth.weightScale)), perChannel: false };
const oneWeight = { ...truth, weight: truth.weight.map((w, i) => (i === 21 ? -w : w)) };
const reversed = { ...truth, weightScale: truth.weightScale.toReversed() };

const ENGINES = { torchao: 'torchao', fbgemm: 'x86', qnnpack: 'qnnpack' } as const;
type Kernel = keyof typeof ENGINES;

async function found(kernel: Kernel, candidate: Float32Array) {
  const captured = outputsOf(dynamicSteps(kernel)!);
  const { causes, evidence } = (await diagnose(truth, captured, { engine: ENGINES[kernel], candidate }))!;
  return { causes: [...causes].sort(), evidence: evidence as Record<string, Record<string, unknown>> };
}

const scriptOf = (kernel: Kernel, linear: Product, ...moves: Move[]) =>
  outputsOf(
    dynamicWith(kernel, (step) => moves.reduce((own, move) => move(own), step)),
    linear,
  );

test.each<[kernel: Kernel, cause: string, range: object, linear: Product, moves: Move[]]>([
  ['torchao', 'bias-missing', { formula: 'symmetric127' }, withoutBias, [by127]],
  ['torchao', 'bias-missing', { grain: 'batch' }, withoutBias, [byCall]],
  ['torchao', 'bias-missing', { formula: 'symmetric127', grain: 'batch' }, withoutBias, [by127, byCall]],
  ['torchao', 'bias-factor', { grain: 'batch' }, twiceTheBias, [byCall]],
  ['torchao', 'rounding-floor', { grain: 'batch' }, truth, [byCall, floored]],
  ['fbgemm', 'bias-missing', { formula: 'oneLevelLess' }, withoutBias, [by254]],
  ['fbgemm', 'bias-missing', { grain: 'row' }, withoutBias, [byRow]],
  ['fbgemm', 'scale-per-tensor', { formula: 'oneLevelLess' }, oneScale, [by254]],
  ['fbgemm', 'weight-value', { formula: 'oneLevelLess', grain: 'row' }, oneWeight, [by254, byRow]],
  ['qnnpack', 'scale-shifted', { grain: 'row' }, reversed, [byRow]],
])('%s: %s beside %j', async (kernel, cause, range, linear, moves) => {
  const { causes, evidence } = await found(kernel, scriptOf(kernel, linear, ...moves));
  expect(causes).toEqual(['activation-range', cause].sort());
  expect(evidence['activation-range'].found).toMatchObject(range);
});

// neither is a cause of its own: the range of a call is divided by another number
test('one range a call, divided by 127', async () => {
  const { causes, evidence } = await found('torchao', scriptOf('torchao', truth, by127, byCall));
  expect(causes).toEqual(['activation-range']);
  expect(evidence['activation-range'].found).toMatchObject({ formula: 'symmetric127', grain: 'batch' });
});

const by126: Move = (step) => ({
  ...step,
  chooseQuantParams: (min, max) => ({ ...step.chooseQuantParams(min, max, false), scale: Math.max(-min, max) / 126 }),
});
const moved = (values: Float32Array) => values.map((value, i) => (i === 77 ? value * (1 + 2 ** -20) : value));

test.each<[what: string, candidate: Float32Array]>([
  ['a number that nobody divides by', scriptOf('torchao', withoutBias, by126)],
  ['one value off', moved(scriptOf('torchao', withoutBias, by127))],
  ['a curve behind it', scriptOf('torchao', withoutBias, byCall).map((value) => Math.fround(Math.tanh(value)))],
  ['biases of another row', scriptOf('torchao', withoutBias, by127).map((v, i) => v + truth.bias![(i * 7) % OUT] * i)],
])('no name for %s beside no bias', async (_, candidate) => {
  expect((await found('torchao', candidate)).causes).toEqual(['unexplained']);
});
