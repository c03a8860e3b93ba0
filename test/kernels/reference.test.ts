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

it('leaves other ops to the kernel of the whole model', () => expect(read(amx, [], 'relu')).toEqual(['onednn']));

it('takes --kernel for all layers', () => expect(read(amx, large, 'linear', 'qnnpack')).toEqual(['qnnpack']));
