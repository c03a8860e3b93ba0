/** What a reader gets of a cause whose step takes the place of a rounding: its own words and lines, and none of that rounding. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { halfEven } from '../../src/kernels/steps/round.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Activation, Model } from '../../src/nouns/model.js';
import type { Report } from '../../src/nouns/report.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { toBFloat16 } from '../../src/numeric/float.js';
import { gelu } from '../../src/numeric/gelu.js';
import { clamp } from '../../src/numeric/integer.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { findings } from '../../src/report/words/findings.js';
import { OF_MATRICES } from '../../src/validate/shapes.js';
import { CLAMPS, codes, SAMPLES } from './pointwiseScenes.js';
import {
  capturedValue,
  captureOf,
  compareLayer,
  fbgemmWith,
  outputsOf,
  quant,
  randomFrom,
  withOutputScale,
  worldOf,
} from './world.js';

const SCALE = 0.05;
const ZERO_POINT = 100;
/** 6 is 120 steps. */
const SIX = ZERO_POINT + 120;

const hardswish = (x: number) => (x * clamp(x + 3, 0, 6)) / 6;
const through = (of: (x: number) => number) => (steps: number) => roundHalfEven(of(steps * SCALE) / SCALE);
const shifted = (steps: number) => (steps < 0 ? steps >> 3 : steps);

const world = worldOf('small', randomFrom(5));

/** A product with another function in place of its activation, of sums in floats or of codes. */
function product(activation: Activation, apply: (steps: number) => number, isOfCodes: boolean): Promise<Report> {
  const own = withOutputScale(world.linear, SCALE);
  const output = { ...(own.output as QuantParams), zeroPoint: ZERO_POINT };
  const declared = { ...own, output, activation };
  const without = { ...declared, activation: 'none' as const };
  const candidate = isOfCodes
    ? outputsOf(world, undefined, without).map((code) => clamp(apply(code - ZERO_POINT) + ZERO_POINT, 0, 255))
    : outputsOf(world, fbgemmWith({ round: { ...halfEven, name: 'its own', apply, fast: false } }), without);
  return compareLayer(world, declared, outputsOf(world, undefined, declared), { candidate });
}

function elementwise(op: 'relu' | 'relu6', apply: (steps: number) => number): Promise<Report> {
  const params = quant(SCALE, ZERO_POINT);
  const x = codes(1, params);
  const right = x.map((code) => clamp(code, ZERO_POINT, op === 'relu6' ? SIX : 255));
  const candidate = x.map((code) => clamp(apply(code - ZERO_POINT) + ZERO_POINT, 0, 255));
  const model: Model = {
    path: 'model.json',
    producer: { framework: 'pytorch', flow: 'eager', engine: 'x86' },
    ...OF_MATRICES,
    inputs: [{ name: 'x', params }],
    layers: [
      {
        op,
        name: 'y',
        inputs: ['x'],
        output: params,
        form: { kind: 'elementwise', clamp: CLAMPS[op]!, keepsParams: true },
      },
    ],
    warnings: [],
  };
  const side = (y: NumericArray, more = {}) => captureOf({ ...more, y: capturedValue(y, SAMPLES) }, SAMPLES);
  return compare(model, side(right, { x: capturedValue(x, SAMPLES) }), { candidate: side(candidate) });
}

function told(report: Report) {
  const [{ headlines, details }] = findings(report, () => true);
  const sentences = (wanted: string) =>
    details.filter(({ label }) => label === wanted).flatMap((detail) => detail.sentences);
  return {
    headline: headlines.at(-1),
    because: sentences('because'),
    fix: report.candidate_layers![0].diagnosis!.fix,
    code: report.candidate_layers![0].diagnosis!.fixes.flatMap(({ code = [] }) => code.map(({ text }) => text)),
  };
}

const another = (declared: string) => [`${declared}; what is observed passed another function.`];
const NONE = {
  because: another('The layer has no activation'),
  fix: 'hand in the values before the activation, or leave it out',
  code: [
    'q = np.rint(v).astype(np.int32) + y_zero_point  # no function of v or q',
    'q = (int32_t)rintf(v) + Y_ZERO_POINT;  /* no function of v or q */',
  ],
};
const clampedTo = (hi: number) => ({
  because: another(`The layer's activation clamps codes to ${ZERO_POINT}..${hi}`),
  fix: `clamp codes to ${ZERO_POINT}..${hi}, and leave the other function out`,
  code: [
    `q = np.clip(q, ${ZERO_POINT}, ${hi})`,
    `q = q < ${ZERO_POINT} ? ${ZERO_POINT} : q > ${hi} ? ${hi} : q;`,
    `q = (v < ${ZERO_POINT}) ? ${ZERO_POINT} : (v > ${hi}) ? ${hi} : v;  // v wider than q, both signed`,
  ],
});

const OF_CODES = ', of rounded codes';
test.each([
  ['none', NONE, 'an'],
  ['relu', clampedTo(255), 'another'],
  ['relu6', clampedTo(SIX), 'another'],
] as const)('another activation in place of that of a product, %s', async (activation, words, which) => {
  const headline = (name: string) => `Yours: ${which} activation: ${name}`;
  expect(
    told(
      await product(
        activation,
        through((x) => gelu(x, 'none')),
        false,
      ),
    ),
  ).toEqual({ ...words, headline: headline('gelu') });
  expect(told(await product(activation, through(hardswish), false))).toEqual({
    ...words,
    headline: headline('hardswish'),
  });
  expect(told(await product(activation, shifted, true))).toEqual({
    ...words,
    headline: headline(`leaky_relu of 0.125${OF_CODES}`),
  });
});

test.each([
  ['relu', 255],
  ['relu6', SIX],
] as const)('another activation in place of a layer of its own, %s', async (op, hi) => {
  const headline = (name: string) => `Yours: another activation: ${name}${OF_CODES}`;
  expect(told(await elementwise(op, through(hardswish)))).toEqual({
    ...clampedTo(hi),
    headline: headline('hardswish'),
  });
  expect(told(await elementwise(op, shifted))).toEqual({ ...clampedTo(hi), headline: headline('leaky_relu of 0.125') });
});

test('half precision before codes are rounded', async () => {
  const apply = (steps: number) => roundHalfEven(toBFloat16(steps));
  expect(told(await product('none', apply, false))).toEqual({
    headline: 'Yours: bfloat16 before codes are rounded',
    because: [
      'A result has 11 bits in float16 and 8 in bfloat16: next to a border between two codes it comes out on the other side.',
    ],
    fix: 'keep results in float32, or in integers, until they are codes',
    code: [
      'v = acc.astype(np.float32) * multiplier  # no astype(np.float16) before np.rint',
      'float v = (float)acc * multiplier;  /* no half before it is rounded */',
    ],
  });
});
