/** QAttention, EmbedLayerNormalization and QEmbedLayerNormalization: what the layers read, with what numbers, and what is not replayed. */
import { describe, expect, it, test } from 'vitest';
import { openModel } from '../../../src/frontends/open.js';
import type { EmbedNormAttributes, QAttentionAttributes } from '../../../src/nouns/attributes.js';
import type { TensorForm } from '../../../src/nouns/model.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { model, node, tensor, valueInfo } from '../../support/onnx.js';

const floats = (name: string, ...numbers: readonly number[]) =>
  tensor(name, [numbers.length], Float32Array.from(numbers));
const initializers = [
  tensor(
    'w',
    [2, 12],
    Int8Array.from({ length: 24 }, (_, i) => i - 12),
  ),
  floats('b', ...Array.from({ length: 12 }, (_, i) => i / 8)),
  tensor('s', [], Float32Array.of(0.5)),
  tensor('z', [], Uint8Array.of(128)),
  floats('ws', 0.25),
  tensor('wz', [1], Int8Array.of(0)),
  tensor(
    'words',
    [5, 2],
    Uint8Array.from({ length: 10 }, (_, i) => 20 * i),
  ),
  tensor(
    'places',
    [3, 2],
    Uint8Array.from({ length: 6 }, (_, i) => i),
  ),
  tensor(
    'floats',
    [5, 2],
    Float32Array.from({ length: 10 }, (_, i) => i),
  ),
  tensor('codes', [2], Uint8Array.of(7, 9)),
  floats('g', 1, 2),
];
const INT32 = 6;
const opsets = { '': 17, 'com.microsoft': 1 };

interface More {
  readonly mask?: readonly (string | number)[];
  /** The type of another. */
  readonly given?: number;
}

async function read(nodes: readonly Uint8Array[], more: More = {}) {
  const inputs = [
    valueInfo('x', 1, ['N', 3, 2]),
    valueInfo('mask', INT32, [...(more.mask ?? ['N', 3])]),
    valueInfo('ids', INT32, ['N', 3]),
    valueInfo('past', 1, ['N', 3]),
    valueInfo('given', more.given ?? INT32, ['N', 3]),
  ];
  const data = model({ inputs, outputs: [valueInfo('y', 1, null)], initializers, nodes, opsets });
  return openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
}

async function layersOf(nodes: readonly Uint8Array[], more: More = {}) {
  return (await read(nodes, more)).layers;
}

const dynamic = node('DynamicQuantizeLinear', ['x'], ['q', 'qs', 'qz']);
const attend = (inputs: readonly string[], attributes = {}) =>
  node('com.microsoft:QAttention', [...inputs], ['y'], { num_heads: 2, ...attributes });
const OF_DYNAMIC = ['q', 'w', 'b', 'qs', 'ws', '', 'qz', 'wz'];
const behind = (mask: string) => OF_DYNAMIC.map((name, i) => (i === 5 ? mask : name));

describe('QAttention', () => {
  const attributesOf = (form: unknown) => (form as TensorForm).attributes as QAttentionAttributes;

  it('reads the floats that a call quantizes', async () => {
    const [, y] = await layersOf([dynamic, attend(OF_DYNAMIC)]);
    expect([y.op, y.inputs, y.notReplayed]).toEqual(['q_attention', ['x'], undefined]);
    const scale = Math.fround(1 / Math.fround(Math.SQRT2));
    expect(attributesOf(y.form)).toMatchObject({
      inputs: 2,
      heads: 2,
      size: 2,
      isCausal: false,
      scale,
      filter: -10000,
    });
  });

  it('reads codes of the file’s scale', async () => {
    const quantize = node('QuantizeLinear', ['x', 's', 'z'], ['q']);
    const [, y] = await layersOf([quantize, attend(['q', 'w', 'b', 's', 'ws', '', 'z', 'wz'])]);
    expect([y.inputs, y.notReplayed]).toEqual([['q'], undefined]);
  });

  it('reads a mask of a number a place, with what the file hides by', async () => {
    const own = { mask_filter_value: { float: -1000 }, scale: { float: 0.25 } };
    const [, y] = await layersOf([dynamic, attend(behind('mask'), own)]);
    expect(y.inputs).toEqual(['x', 'mask']);
    expect(attributesOf(y.form)).toMatchObject({ mask: 'places', filter: -1000, scale: 0.25 });
  });

  it('reads the mask that an embedding counts', async () => {
    const embed = node(
      'com.microsoft:EmbedLayerNormalization',
      ['ids', '', 'floats', 'floats', '', 'g', 'g', 'mask'],
      ['e', 'n'],
    );
    const quantize = node('DynamicQuantizeLinear', ['e'], ['q', 'qs', 'qz']);
    const layers = await layersOf([embed, quantize, attend(behind('n'))]);
    const y = layers.at(-1)!;
    expect([y.inputs, y.notReplayed]).toEqual([['e', 'mask'], undefined]);
    expect(attributesOf(y.form).mask).toBe('ones');
  });

  test.each([
    ['of int64 it was an index before', 7, { dtype: 'int32', scale: 1, zeroPoint: 0 }],
    ['of uint8 its codes are numbers', 2, { dtype: 'uint8', scale: 1, zeroPoint: 0 }],
    ['of bool it was a condition', 9, { dtype: 'uint8', scale: 1, zeroPoint: 0 }],
    ['of floats it was a float', 1, { dtype: 'float32' }],
  ])('behind a mask that was cast: %s', async (_, type, params) => {
    const cast = node('Cast', ['given'], ['cast'], { to: INT32 });
    const { inputs, layers } = await read([cast, dynamic, attend(behind('cast'))], { given: type });
    const y = layers.at(-1)!;
    expect([y.inputs, y.notReplayed]).toEqual([['x', 'cast'], undefined]);
    expect(inputs.find(({ name }) => name === 'given')!.params).toMatchObject(params);
  });

  it('is causal', async () => {
    const [, y] = await layersOf([dynamic, attend(OF_DYNAMIC, { unidirectional: 1 })]);
    expect(attributesOf(y.form).isCausal).toBe(true);
  });

  test.each<[string, Uint8Array[], object, string]>([
    ['a mask of queries', [dynamic, attend(behind('mask'))], { mask: ['N', 3, 3] }, 'its mask is no number a place'],
    ['past keys', [dynamic, attend([...OF_DYNAMIC, 'past'])], {}, 'it goes on from past keys and values'],
    [
      'another scale',
      [dynamic, attend(['q', 'w', 'b', 'past', 'ws', '', 'qz', 'wz'])],
      {},
      'the scale of what it reads is computed',
    ],
    [
      'heads that do not fit',
      [dynamic, attend(OF_DYNAMIC, { num_heads: 5 })],
      {},
      'its num_heads is no number of heads',
    ],
    [
      'an infinite filter',
      [dynamic, attend(OF_DYNAMIC, { mask_filter_value: { float: Number.NEGATIVE_INFINITY } })],
      {},
      'its scale or mask_filter_value is no finite number',
    ],
    ['rotary places', [dynamic, attend(OF_DYNAMIC, { do_rotary: 1 })], {}, 'it turns what it multiplies (do_rotary)'],
    [
      'computed weights',
      [dynamic, attend(['q', 'mask', 'b', 'qs', 'ws', '', 'qz', 'wz'])],
      {},
      'its weights are no constants of the file',
    ],
  ])('is not replayed: %s', async (_, nodes, more, why) => {
    expect((await layersOf(nodes, more)).at(-1)!.notReplayed).toBe(why);
  });
});

describe('EmbedLayerNormalization', () => {
  const attributesOf = (form: unknown) => (form as TensorForm).attributes as EmbedNormAttributes;

  it('of floats', async () => {
    const [y] = await layersOf([
      node(
        'com.microsoft:EmbedLayerNormalization',
        ['ids', 'mask', 'floats', 'floats', 'floats', 'g', 'g'],
        ['y', 'n'],
      ),
    ]);
    expect([y.op, y.inputs, y.notReplayed]).toEqual(['embed_layer_norm', ['ids', 'mask'], undefined]);
    const { features, places, tables, eps } = attributesOf(y.form);
    expect([features, places, eps]).toEqual([2, 5, Math.fround(1e-12)]);
    expect(tables.map(({ name, scale }) => [name, scale])).toEqual([
      ['word', null],
      ['place', null],
      ['segment', null],
    ]);
  });

  const ofCodes = (scales = 's') =>
    node(
      'com.microsoft:QEmbedLayerNormalization',
      ['ids', '', 'words', 'places', '', 'codes', 'codes', '', scales, 's', '', 's', 's', 'z', 'z', '', 'z', 'z'],
      ['y', 'n'],
      { epsilon: { float: 0.5 } },
    );

  it('of codes, whose norm has the reals of its codes', async () => {
    const [y] = await layersOf([ofCodes()]);
    const { weight, bias, eps, tables } = attributesOf(y.form);
    expect(eps).toBe(0.5);
    expect(tables).toEqual([
      { name: 'word', scale: 0.5, zeroPoint: 128 },
      { name: 'place', scale: 0.5, zeroPoint: 128 },
    ]);
    expect([Array.from(weight!), Array.from(bias!)]).toEqual([
      [-60.5, -59.5],
      [-60.5, -59.5],
    ]);
  });

  it('whose scales are computed is not replayed', async () => {
    expect((await layersOf([ofCodes('past')]))[0].notReplayed).toBe('its tables are no constants of the file');
  });

  it('that is given the places is not replayed', async () => {
    const inputs = ['ids', '', 'floats', 'floats', '', 'g', 'g', '', 'mask'];
    const [y] = await layersOf([node('com.microsoft:EmbedLayerNormalization', inputs, ['y', 'n'])]);
    expect(y.notReplayed).toBe('it is given the places');
  });
});
