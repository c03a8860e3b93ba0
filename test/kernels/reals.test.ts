/** Functions that are offered for each other: a name that says another formula would send somebody after a mistake that is not theirs. */
import { describe, expect, test } from 'vitest';
import { FUNCTIONS } from '../../src/kernels/reals.js';

const XS = [-7, -3.5, -2, -1, -0.25, 0, 0.5, 1.5, 2.5, 4, 7];
const known = {
  clamp: (x: number, least: number, most: number) => Math.max(least, Math.min(x, most)),
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  relu6: (x: number) => Math.max(0, Math.min(x, 6)),
  tanh: Math.tanh,
  exp: Math.exp,
  abs: Math.abs,
};

/** `hardsigmoid (x / 6 + 0.5)` is clamped beside what it says. */
const formulas = Object.keys(FUNCTIONS).filter(
  (name) => /[*/+]|clamp/.test(name) && !/hardsigmoid|PLAN|polynomial/.test(name),
);

test('most are told by their formula', () => {
  expect(formulas.length).toBeGreaterThan(10);
});

test.each(formulas)('%s is that', (name) => {
  const text = name.replace(/\|x\|/g, 'abs(x)').replace(/2\^-x/, '2 ** (-x)').replace(/\^/g, '**');
  const formula = new Function(...Object.keys(known), 'x', `return ${text}`);
  for (const x of XS)
    expect([x, FUNCTIONS[name](x)]).toEqual([x, expect.closeTo(formula(...Object.values(known), x), 12)]);
});

/** torch 2.13 in float64, of -3.5, -1, -0.25, 0.5, 2.5 and 7. */
const OF_TORCH: Record<string, number[]> = {
  relu: [0, 0, 0, 0.5, 2.5, 7],
  relu6: [0, 0, 0, 0.5, 2.5, 6],
  sigmoid: [0.029312230751, 0.26894142137, 0.437823499114, 0.622459331202, 0.924141819979, 0.999088948806],
  'hardsigmoid (x / 6 + 0.5)': [0, 0.333333333333, 0.458333333333, 0.583333333333, 0.916666666667, 1],
  hardswish: [0, -0.333333333333, -0.114583333333, 0.291666666667, 2.291666666667, 7],
  silu: [-0.10259280763, -0.26894142137, -0.109455874779, 0.311229665601, 2.310354549947, 6.993622641639],
  gelu: [-0.000814201777, -0.158655253931, -0.100323418579, 0.345731230637, 2.484475836686, 6.999999999991],
  'gelu by tanh': [-0.000616197655, -0.158808009392, -0.100324649298, 0.345714009825, 2.48491573391, 7],
  tanh: [-0.998177897611, -0.761594155956, -0.244918662404, 0.46211715726, 0.986614298151, 0.999998336944],
  elu: [-0.969802616578, -0.632120558829, -0.221199216929, 0.5, 2.5, 7],
  selu: [-1.705009340957, -1.111330737813, -0.388890197478, 0.525350493678, 2.626752468389, 7.354906911488],
  'leaky_relu of 0.125': [-0.4375, -0.125, -0.03125, 0.5, 2.5, 7],
};

test.each(Object.entries(OF_TORCH))('%s is what torch has under that name', (name, expected) => {
  expect([-3.5, -1, -0.25, 0.5, 2.5, 7].map(FUNCTIONS[name])).toEqual(expected.map((y) => expect.closeTo(y, 9)));
});

describe('as their papers have them', () => {
  test('PLAN, which jumps nowhere by more than 1/64 and is odd around 1/2', () => {
    const [plan, tanh] = ['sigmoid in seven straight pieces (PLAN)', 'tanh as 2 * PLAN(2 * x) - 1'].map(
      (name) => FUNCTIONS[name],
    );
    expect([0, 0.5, 1, 2, 2.5, 4, 5, 9].map(plan)).toEqual([0.5, 0.625, 0.75, 0.875, 0.921875, 0.96875, 1, 1]);
    for (const x of XS) expect([plan(-x), tanh(x)]).toEqual([1 - plan(x), 2 * plan(2 * x) - 1]);
  });

  test('I-BERT: within 0.02 of gelu', () => {
    const own = FUNCTIONS['gelu by a polynomial of the second degree (I-BERT)'];
    for (let x = -5; x <= 5; x += 1 / 16) expect(Math.abs(own(x) - FUNCTIONS.gelu(x))).toBeLessThan(0.02);
    expect([own(9), own(-9)]).toEqual([9, 0].map((y) => expect.closeTo(y, 12)));
  });
});
