/** Every step of every kernel, and every step of hypotheses, as it is written in numpy and in C: both give the replay's values. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { explainPointwise } from '../../../src/analyze/explain/explainPointwise.js';
import { noNumpy, numpySnippet } from '../../../src/analyze/explain/numpy.js';
import { isUnwritten, recipeOf } from '../../../src/analyze/explain/recipe.js';
import { type GoldenLayer, whyNoIntegers } from '../../../src/analyze/golden.js';
import { arraysOf } from '../../../src/analyze/goldenArrays.js';
import { kernels } from '../../../src/kernels/registry.js';
import {
  accumulatorsByChannel,
  biasedAccumulators,
  byteAccumulators,
  narrowAccumulators,
} from '../../../src/kernels/steps/accumulate.js';
import { clampOfCodes } from '../../../src/kernels/steps/activation.js';
import * as bias from '../../../src/kernels/steps/bias.js';
import { dequantizeSteps } from '../../../src/kernels/steps/dequantize.js';
import { fixedPointMultipliers, floatMultipliers } from '../../../src/kernels/steps/multiplier.js';
import { offsetsAfterRounding, offsetsBeforeRounding } from '../../../src/kernels/steps/offsetAndClamp.js';
import { quantizeSteps } from '../../../src/kernels/steps/quantize.js';
import { reluSums } from '../../../src/kernels/steps/reluSums.js';
import { rescaleSteps } from '../../../src/kernels/steps/rescale.js';
import { insideMultiplier, rounds } from '../../../src/kernels/steps/round.js';
import { unsignedSums } from '../../../src/kernels/steps/unsignedSums.js';
import { piecesOf } from '../../../src/nouns/io.js';
import type { Codes, ElementwiseSteps, Product, ProductSteps } from '../../../src/nouns/kernel.js';
import type { Activation } from '../../../src/nouns/model.js';
import type { QuantParams, ValueParams } from '../../../src/nouns/value.js';
import { oneChannel } from '../../../src/replay/oneChannel.js';
import { replayProduct } from '../../../src/replay/product.js';
import { goldenC } from '../../../src/report/inC/goldenC.js';
import { rowOf } from '../../../src/tensor/shape.js';
import { dynamicSteps, linearSteps, stepsFor } from '../../support/steps.js';
import { hasCc, hasNumpy, outputOf } from '../../support/tools.js';
import { layerCases, params } from '../layers.js';

const temporary = mkdtempSync(join(tmpdir(), 'qdiff-'));

interface Variant {
  readonly name: string;
  readonly steps: ProductSteps;
}

const fbgemm = linearSteps('fbgemm');
const numpy64 = linearSteps('numpy');
const replaced = (key: keyof ProductSteps, all: readonly { readonly name: string }[], base = fbgemm): Variant[] =>
  all.map((step) => ({ name: `${step.name}, ${base.bias.name}`, steps: { ...base, [key]: step } }));

const variants: readonly Variant[] = [
  ...kernels.map((kernel) => ({ name: kernel.name, steps: linearSteps(kernel) })),
  ...kernels.flatMap((kernel) => {
    const steps = dynamicSteps(kernel);
    return steps ? [{ name: `${kernel.name} dynamic`, steps }] : [];
  }),
  ...replaced('accumulate', [
    ...narrowAccumulators,
    ...biasedAccumulators,
    ...byteAccumulators,
    ...accumulatorsByChannel,
    ...unsignedSums,
    reluSums,
  ]),
  ...replaced(
    'bias',
    Object.values(bias).flatMap((step) => ('prepare' in step && step !== bias.float64Bias ? [step] : [])),
  ),
  ...replaced('bias', [bias.float64Bias], numpy64),
  ...replaced('multiplier', floatMultipliers, { ...fbgemm, bias: bias.noBias }),
  ...replaced('multiplier', floatMultipliers, { ...fbgemm, bias: bias.realBias }),
  ...replaced('multiplier', fixedPointMultipliers, { ...linearSteps('tflite-double'), round: insideMultiplier }),
  ...replaced('round', rounds, { ...numpy64, bias: bias.noBias }),
  ...replaced('offsetAndClamp', [...offsetsAfterRounding, ...offsetsBeforeRounding]),
];

/** Scales at which the last step decides: exact ties, steps beyond int32 and far below 1. */
const SCALES = [
  [0.5, 0.25, 0.25],
  [0.5, 0.5, 0.5],
  [2, 1, 4],
  [1, 1, 1e-9],
  [1e-9, 1e-9, 1],
] as const;
const ACTIVATIONS: readonly Activation[] = ['none', 'relu', 'relu6', { clamp: [3, 99] }];

interface Case {
  readonly product: Product & { readonly output: QuantParams };
  readonly x: Codes;
}

const cases: readonly Case[] = fc
  .sample(layerCases({ weightZeroPoints: true, maxInFeatures: 40 }), { seed: 7, numRuns: 30 })
  .map(({ linear, x }, i) => {
    const activation = ACTIVATIONS[i % ACTIVATIONS.length];
    const output = linear.output as QuantParams;
    if (i % 3 > 0) return { x, product: { ...linear, activation, output } };
    const [sx, sw, sy] = SCALES[(i / 3) % SCALES.length];
    const scaled = {
      input: { ...linear.input, scale: sx },
      weightScale: linear.weightScale.map(() => sw),
      output: { ...output, scale: sy },
      bias: linear.bias?.map((b) => Math.round(b * 8) / 8) ?? null, // ties of a sum with a fraction
    };
    return { x, product: { ...linear, ...scaled, activation } };
  });

/** What a variant can be asked: a dynamic layer gives floats. */
function productFor({ steps }: Variant, { product }: Case): Product {
  const real = steps.dynamic !== null;
  const activation = real && typeof product.activation === 'object' ? 'relu' : product.activation;
  return { ...product, activation, output: real ? { dtype: 'float32' } : product.output };
}

// ---------------------------------------------------------------- numpy

interface Printed {
  readonly lines: readonly string[];
  readonly value: number;
}

function productSnippets(variant: Variant): Printed[] {
  return cases.flatMap((given, i) => {
    const product = productFor(variant, given);
    const one = oneChannel(product, i % product.outFeatures);
    const x = { rows: 1, cols: given.x.cols, data: given.x.data.slice(0, given.x.cols) };
    const accumulator = variant.steps.accumulate.run(x, one).data[0];
    const value = replayProduct(variant.steps, one, x).data[0];
    const codes = [`x = np.array([${x.data}])`, `w = np.array([${one.weight}])`] as const;
    return [
      { lines: numpySnippet({ steps: variant.steps, product: one, x: x.data, accumulator, value }, codes), value },
    ];
  });
}

const FLOAT: ValueParams = { dtype: 'float32' };
const OUTPUTS: readonly QuantParams[] = [
  params('uint8', 0.0217, 128),
  params('int8', 0.25, -7),
  { ...params('uint8', 1.5, 3), quantMax: 127 },
  { dtype: 'int32', scale: 0.125, zeroPoint: 0, quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1 },
];
const steps01 = [0, 0.5, 1, 1.5, -0.5, -1.5, 2.5, 7.25, 126.5, 300, -300, 1e6 + 0.5];
const REALS = [1e9, -1e9, 3e38, -3e38, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, -0.3];

/** One op of one record of steps, on values near ties, extremes and what is no number. */
function elementwiseSnippets(op: string, steps: ElementwiseSteps): Printed[] {
  const kernel = { ...kernels[0], ops: { [op]: steps } };
  const reads = steps.dequantize || steps.rescale ? OUTPUTS : [FLOAT];
  const writes = steps.quantize || steps.rescale ? OUTPUTS : [FLOAT];
  return reads.flatMap((input) =>
    writes.flatMap((output) => {
      const values =
        input.dtype === 'float32'
          ? [...REALS, ...steps01.map((v) => v * (output as QuantParams).scale)].map(Math.fround)
          : [input.quantMin, input.quantMax, 0, 1, 5, 77, 100, 126].filter((v) => v >= input.quantMin);
      return values.map((x) => {
        const form = { kind: 'elementwise', clamp: null, keepsParams: false } as const;
        const layer = { name: 'e', op, inputs: ['x'], output, form };
        const given = { layer, input, sample: 0, channel: 0, x, captured: null, candidate: null, causes: [] };
        const { numpy, columns } = explainPointwise({ ...given, kernels: [kernel] });
        return { lines: numpy, value: columns[0].value };
      });
    }),
  );
}

const bound = quantizeSteps[0];
const none: ElementwiseSteps = { kind: 'elementwise', dequantize: null, quantize: null, rescale: null, bound };
const elementwise: readonly { readonly name: string; readonly snippets: Printed[] }[] = [
  ...kernels.flatMap((kernel) =>
    ['quantize', 'dequantize', 'requantize'].map((op) => ({
      name: `${kernel.name} ${op}`,
      snippets: elementwiseSnippets(op, stepsFor(kernel, op)),
    })),
  ),
  ...quantizeSteps.map((quantize) => ({
    name: quantize.name,
    snippets: elementwiseSnippets('e', { ...none, quantize }),
  })),
  ...dequantizeSteps.map((dequantize) => ({
    name: dequantize.name,
    snippets: elementwiseSnippets('e', { ...none, dequantize }),
  })),
  ...rescaleSteps.map((rescale) => ({ name: rescale.name, snippets: elementwiseSnippets('e', { ...none, rescale }) })),
];

const written = [
  ...variants.map((variant) => ({ name: variant.name, snippets: productSnippets(variant) })),
  ...elementwise,
];

const number = (text: string) => Number(text.replace('inf', 'Infinity').replace('nan', 'NaN'));

/** All snippets as one program, a line of output each. */
function printedByPython(snippets: readonly Printed[]): number[] {
  const file = join(temporary, 'snippets.py');
  const program = snippets.map(({ lines }) => lines.join('\n').replace('import numpy as np; ', '')).join('\n');
  writeFileSync(file, `import numpy as np\n${program}\n`);
  return outputOf('python3', ['-W', 'ignore', file]).trim().split('\n').map(number);
}

describe('numpy', () => {
  const all = written.flatMap(({ snippets }) => snippets);
  const printed = hasNumpy ? printedByPython(all) : null;
  let start = 0;
  const rows = written.map(({ name, snippets }) => {
    const from = start;
    start += snippets.length;
    return { name, snippets, from };
  });

  it.each(rows)('of $name prints what the replay gives (run where python3 has numpy)', ({ snippets, from }) => {
    for (const { lines } of snippets) {
      expect(lines.at(-1)).toMatch(/^print\(.+\) {2}# /);
      expect(lines.join('').split('(').length).toBe(lines.join('').split(')').length);
    }
    if (!printed) return;
    const own = printed.slice(from, from + snippets.length);
    const wrong = snippets.filter(({ value }, i) => !Object.is(Math.fround(value) + 0, Math.fround(own[i]) + 0));
    expect(wrong.map(({ lines }) => lines.join('\n'))).toEqual([]);
  });

  it('is of values that differ', () => {
    for (const { snippets } of rows) expect(new Set(snippets.map(({ value }) => value)).size).toBeGreaterThan(3);
  });
});

// ---------------------------------------------------------------- C

/** null where a step has no C form. */
function inC(variant: Variant, given: Case, name: string): GoldenLayer | null {
  const { steps } = variant;
  const { product, x } = given;
  const recipe = recipeOf(steps, product);
  const written = steps.accumulate.c && steps.offsetAndClamp.c && !steps.float && !steps.dynamic;
  if (!written || isUnwritten(recipe) || recipe.precision === 'float64') return null;
  if (recipe.fixedPoint ? !recipe.fixedPoint.c : !steps.round.c) return null;
  const { data, accumulator } = replayProduct(steps, product, x);
  const output = product.output.dtype === 'int8' ? Int8Array.from(data) : Uint8Array.from(data);
  const values = { input: x.data as Int8Array, added: null, output, accumulator: accumulator as Int32Array };
  const shapes = { inputs: [rowOf(product.inFeatures)], output: rowOf(product.outFeatures) };
  const made = { name, op: 'linear', samples: x.rows, shapes, captured: null };
  return { ...made, steps, product, recipe, arrays: arraysOf(name, x.rows, shapes, product, steps, recipe, values) };
}

const layers = variants.flatMap((variant) =>
  cases.flatMap((given, i) => inC(variant, given, `${variant.name} case ${i}`) ?? []),
);

test.skipIf(!hasCc)('C of every integer kernel gives the codes of the replay (cc)', () => {
  for (const [name, text] of goldenC({
    kernel: kernels[0],
    samples: 0,
    layers,
    values: [],
    captured: [],
    skipped: [],
  })) {
    writeFileSync(join(temporary, name), piecesOf(text).join(''));
  }
  outputOf('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-o', 'reference', 'reference.c'], temporary);
  const lines = outputOf(join(temporary, 'reference'), []).trim().split('\n');
  expect(lines.filter((line) => !line.includes(': 0 of '))).toEqual([]);
  expect(lines.length).toBe(layers.length);
  const names = new Set(layers.map(({ steps }) => steps));
  // torchao's layers give floats, of which no integer C is
  const integer = kernels
    .filter(({ family }) => family !== 'torchao')
    .map(linearSteps)
    .filter(({ float, multiplier }) => !float && multiplier.arithmetic !== 'float64');
  expect(integer.filter((steps) => !names.has(steps))).toEqual([]);
});

// ---------------------------------------------------------------- what is not written

const unwritten = { name: 'fresh', equation: 'acc / 3' };

describe('a step without a form', () => {
  const [{ product, x }] = cases;
  const one = { product: oneChannel(product, 0), x: x.data.slice(0, x.cols), accumulator: 0, value: 0 };
  const without: readonly (readonly [string, ProductSteps])[] = [
    ['accumulate', { ...fbgemm, accumulate: { ...fbgemm.accumulate, ...unwritten, numpy: null } }],
    ['multiplier', { ...fbgemm, multiplier: { ...fbgemm.multiplier, ...unwritten, operations: null } }],
    ['round', { ...fbgemm, round: { ...fbgemm.round, ...unwritten, numpy: null } }],
    ['offsetAndClamp', { ...fbgemm, offsetAndClamp: { ...fbgemm.offsetAndClamp, ...unwritten, numpy: null } }],
  ];
  const withoutC: readonly (readonly [string, ProductSteps])[] = [
    ['accumulate', { ...fbgemm, accumulate: { ...fbgemm.accumulate, ...unwritten, c: null } }],
    ['multiplier', { ...fbgemm, multiplier: { ...fbgemm.multiplier, ...unwritten, operations: null } }],
    ['round', { ...fbgemm, round: { ...fbgemm.round, ...unwritten, c: null } }],
    ['offsetAndClamp', { ...fbgemm, offsetAndClamp: { ...fbgemm.offsetAndClamp, ...unwritten, c: null } }],
  ];
  it.each(withoutC)('%s: golden says which', (_, steps) => {
    expect(whyNoIntegers(fbgemm)).toBeNull();
    expect(whyNoIntegers(steps)).toBe('has no C form of fresh: acc / 3');
  });

  it.each(without)('%s: one line in place of the snippet', (_, steps) => {
    expect(numpySnippet({ ...one, steps }, ['x', 'w'])).toEqual([noNumpy(unwritten)]);
  });
});

describe('a fused activation in codes', () => {
  const output = params('uint8', 0.05, 10);
  it.each([
    ['none', [0, 255]],
    ['relu', [10, 255]],
    ['relu6', [10, 130]],
    [{ clamp: [3, 99] }, [3, 99]],
  ] as const)('%j is %j', (activation, range) => {
    expect(clampOfCodes(activation as Activation, output, fbgemm.bound)).toEqual(range);
  });
});
