import { expect, it, test } from 'vitest';
import { referenceFor } from '../../src/kernels/reference.js';
import type { Call } from '../../src/nouns/kernel.js';
import type { Layer, Producer } from '../../src/nouns/model.js';

const layer = (op: string) => ({ name: 'fc', op, inputs: ['x'], output: null, form: null }) satisfies Layer;
const call = (rows: number, inFeatures: number, outFeatures: number): Call => ({ rows, inFeatures, outFeatures });
const amx: Producer = { engine: 'onednn', amxInt8: true };
const read = (producer: Producer, calls: Call[], op = 'linear', name?: string) =>
  referenceFor(producer, name)
    .readings(layer(op), calls)
    .map((kernel) => kernel.name);

// the limits: K > 16, and more than 32 rows or 256 results
test.each<[string, Call[], string]>([
  ['32 rows, 256 results', [call(32, 17, 8)], 'onednn'],
  ['33 rows', [call(33, 17, 1)], 'onednn-amx'],
  ['257 results', [call(1, 17, 257)], 'onednn-amx'],
  ['K is 16', [call(300, 16, 300)], 'onednn'],
  ['a small last batch', [call(64, 64, 8), call(5, 64, 8)], 'onednn-amx'],
])('oneDNN on AMX, %s', (_, calls, name) => {
  expect(read(amx, calls)).toEqual([name]);
  expect(read(amx, calls, 'linear_dynamic')).toEqual([name]);
  const pointwise = name.replace('onednn', 'onednn-pointwise');
  expect(read({ ...amx, engine: 'x86', flow: 'pt2e-lowered' }, calls)).toEqual([pointwise]);
});

const large = [call(64, 64, 64)];

test.each<[string, Producer, string[]]>([
  ['another engine', { engine: 'x86', amxInt8: true }, ['fbgemm']],
  ['no AMX', { engine: 'onednn', amxInt8: false }, ['onednn']],
  ['a variable forbids it', { ...amx, environment: new Map([['ONEDNN_MAX_CPU_ISA', 'AVX512_CORE_VNNI']]) }, ['onednn']],
  ['the older variable, too', { ...amx, environment: new Map([['DNNL_MAX_CPU_ISA', 'avx2']]) }, ['onednn']],
  [
    'a variable allows it',
    { ...amx, environment: new Map([['ONEDNN_MAX_CPU_ISA', 'AVX512_CORE_AMX']]) },
    ['onednn-amx'],
  ],
  ['a kernel is named', { ...amx, kernel: 'onednn' }, ['onednn']],
  ['nothing is known of the CPU', { engine: 'onednn' }, ['onednn', 'onednn-amx']],
  ['no VNNI, hence no AMX', { engine: 'onednn', avx512Vnni: false }, ['onednn']],
])('%s', (_, producer, names) => expect(read(producer, large)).toEqual(names));

const dynamicLayer = (reduceRange: boolean): Layer =>
  ({ ...layer('linear_dynamic'), form: { kind: 'product', dynamic: { reduceRange } } }) as unknown as Layer;
const avx2: Producer = { engine: 'onednn', cpuCapability: 'AVX2', avx512: false, avx512Vnni: false, avxVnni: false };
const held = (most: string) => ({ environment: new Map([['ONEDNN_MAX_CPU_ISA', most]]) });

// 127 * -128 + 127 * -128 fits int16: nothing to name, and the order of multiplications is the CPU's
test.each<[string, Producer, boolean, string]>([
  ['AVX2 alone', avx2, true, 'onednn-avx2'],
  ['pointwise', { ...avx2, engine: 'x86', flow: 'pt2e-lowered' }, true, 'onednn-pointwise-avx2'],
  ['AVX-VNNI beside it', { ...avx2, avxVnni: true }, true, 'onednn'],
  ['held below it', { ...avx2, ...held('SSE41') }, true, 'onednn'],
  ['AVX512-VNNI held to it', { engine: 'onednn', avx512Vnni: true, ...held('AVX2') }, true, 'onednn-avx2'],
  ['codes of 8 bits: saturation is a departure', avx2, false, 'onednn'],
  ['a kernel is named', { ...avx2, kernel: 'onednn' }, true, 'onednn'],
])('a dynamic layer of oneDNN, %s', (_, producer, reduceRange, name) => {
  const readings = referenceFor({ amxInt8: false, ...producer }).readings(dynamicLayer(reduceRange), large);
  expect(readings.map((kernel) => kernel.name)).toEqual([name]);
});

it("on AVX2 alone sums are exact, and multiplied in that CPU's order: floats behind them are equal", () => {
  const lowered: Producer = { ...avx2, flow: 'pt2e-lowered', amxInt8: false };
  const [kernel] = referenceFor(lowered).readings(layer('linear'), large);
  expect(kernel).toMatchObject({ name: 'onednn-pointwise', sums: 'exact' });
  expect(kernel.ops.linear).toMatchObject({ accumulate: { name: 'exact' }, multiplier: { name: 'oneDnnGemm' } });
});

it('leaves other ops to the kernel of the whole model', () => expect(read(amx, [], 'relu')).toEqual(['onednn']));

it('takes --kernel for all layers', () => expect(read(amx, large, 'linear', 'qnnpack')).toEqual(['qnnpack']));

const convolution = (fields: object = {}, window: object = {}): Layer => {
  const form = {
    kind: 'product',
    weight: { outFeatures: 8, inFeatures: 9 },
    weightZeroPoint: Int32Array.of(0),
    patch: { window: { transposed: null, ...window }, groups: 8 },
    ...fields,
  };
  return { name: 'conv', op: 'conv2d', inputs: ['x'], output: null, form } as unknown as Layer;
};
const patch = (groups: number, transposed: number[] | null = null) => ({ patch: { window: { transposed }, groups } });
const x86: Producer = { engine: 'x86', avx512Vnni: true, amxInt8: false };

test.each<[string, Producer, object, string[]]>([
  ['x86 on a CPU with AVX512-VNNI is oneDNN', x86, {}, ['onednn']],
  ['up to 100 groups', x86, patch(100), ['onednn']],
  ['beyond 100 groups FBGEMM', x86, patch(101), ['fbgemm']],
  ['weight zero points: FBGEMM', x86, { weightZeroPoint: Int32Array.of(0, 3) }, ['fbgemm']],
  ['an output padding: FBGEMM', x86, patch(1, [1, 0]), ['fbgemm']],
  ['transposed without: oneDNN', x86, patch(1, [0, 0]), ['onednn']],
  [
    'no variable changes it',
    { ...x86, environment: new Map([['FBGEMM_ENABLE_INSTRUCTIONS', 'AVX2']]) },
    {},
    ['onednn'],
  ],
  ['x86 without AVX512-VNNI is FBGEMM', { ...x86, avx512Vnni: false }, {}, ['fbgemm']],
  ['x86 on an unknown CPU is either', { engine: 'x86', amxInt8: false }, {}, ['fbgemm', 'onednn']],
  ['AMX takes either order', { ...x86, amxInt8: true }, {}, ['onednn-amx', 'onednn']],
  ['engine fbgemm is FBGEMM', { ...x86, engine: 'fbgemm' }, {}, ['fbgemm']],
  ['a kernel is named', { ...x86, kernel: 'qnnpack' }, {}, ['qnnpack']],
])('a convolution, %s', (_, producer, fields, names) => {
  const readings = referenceFor(producer).readings(convolution(fields), large);
  expect(readings.map(({ name }) => name)).toEqual(names);
});
