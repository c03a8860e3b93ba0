/** A model's scales, zero points, ranges, weights and biases at their edges and past them. */

import type { Pair } from './corpus.js';
import { NUMBERS } from './hostile.js';
import { anyValue } from './mutateJson.js';
import type { Random } from './random.js';

type Fields = Record<string, unknown>;

const SCALES = [
  ...[5e-324, 1e-45, 2.938737e-39, 2.93873e-39, 1.17549435e-38, 1e-20, 1e-10, 0.1, 1, 1e10, 1e20, 3e38, 3.4028234e38],
  ...[3.4028235677973366e38, 1e39, 0, -1],
];
const CODES = [0, 1, -1, 127, 128, -128, -129, 255, 256];

export function mutateQuantization(json: Pair['json'], random: Random): unknown {
  const copy = structuredClone(json) as unknown as { inputs?: Fields[]; layers: Fields[] };
  const outputs = copy.layers.map((layer) => layer.output as Fields | null | undefined);
  const holders = [...(copy.inputs ?? []), ...copy.layers, ...outputs].filter((holder) => holder instanceof Object);
  const names = copy.layers.map(({ name }) => name);
  for (let i = random.few(); i > 0; i--) {
    const holder = random.one(holders);
    const fields = Object.keys(holder).filter((name) => CHANGES.some(([pattern]) => pattern.test(name)));
    if (fields.length === 0) continue;
    const field = random.one(fields);
    const change = CHANGES.find(([pattern]) => pattern.test(field))![1];
    holder[field] = change(holder[field], random, names);
  }
  return copy;
}

type Change = (value: unknown, random: Random, names: readonly unknown[]) => unknown;

/** Some of a list, a matrix's too, or the one value. */
function somewhere(value: unknown, random: Random, make: () => unknown): unknown {
  if (Array.isArray(value))
    return value.map((item) => (Array.isArray(item) || random.chance(0.3) ? somewhere(item, random, make) : item));
  return make();
}

const CHANGES: readonly (readonly [RegExp, Change])[] = [
  [/scale/, (value, random) => somewhere(value, random, () => random.one(SCALES))],
  [
    /zero_point|quant_m/,
    (value, random) => somewhere(value, random, () => random.one([...CODES, 2 ** 31 - 1, -(2 ** 31), 0.5, 1e21])),
  ],
  [/dtype/, (_, random) => random.one(['uint8', 'int8', 'int32', 'float32', 'quint8', 'float64', ''])],
  [/^bias$/, (value, random) => somewhere(value, random, () => random.one(NUMBERS))],
  [
    /^weight$/,
    (value, random) => (Array.isArray(value) ? somewhere(value, random, () => random.one(CODES)) : anyValue(random)),
  ],
  [/^(min|max)/, (_, random) => random.one(NUMBERS)],
  [/^activation$/, (_, random) => random.one(['none', 'relu', 'relu6'])],
  [/^reduce_range$/, (_, random) => random.one([true, false, 1])],
  [
    /^op$/,
    (_, random) =>
      random.one(['linear', 'relu', 'clamp', 'identity', 'quantize', 'dequantize', 'linear_dynamic', 'x', '']),
  ],
  [/^input$/, (_, random, names) => random.one([...names, 'nothing'])],
];
