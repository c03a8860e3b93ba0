/** An LSTM on floats that quantizes what each of its products reads: ONNX Runtime's DynamicQuantizeLSTM. It reads whole calls. */
import * as z from 'zod/mini';
import type { DynamicLstmAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText } from '../tensor/shape.js';
import { printable } from '../text.js';
import { Constants } from './fields/constants.js';
import { expectInput } from './fields/inputs.js';
import { SCALES } from './fields/numbers.js';
import { float32Scale, floatOutput, layerFields, list, numbers, oneOrList, size } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import { FLOAT } from './fields/valueParams.js';
import type { Op, RawLayer, ReadLayer } from './op.js';

const weights = (columns: string) =>
  z.object({
    codes: numbers(`int8 or uint8, [directions, ${columns}, 4 * cells]; gates i, o, f, c`, list('integer')),
    dtype: z.enum(['int8', 'uint8']),
    scale: numbers('one a direction, or one a column', oneOrList('number')),
    zero_point: numbers('one a direction, or one a column', oneOrList('integer')),
  });

const fields = () => ({
  ...layerFields,
  weight: weights('inputs'),
  recurrent: weights('cells'),
  bias: z.nullish(numbers('float32, [directions, 8 * cells]: of the inputs, of the hidden state', list('number'))),
  peephole: z.nullish(numbers('float32, [directions, 3 * cells]: gates i, o, f', list('number'))),
  cells: size,
  direction: z.enum(['forward', 'reverse', 'bidirectional']),
  gives: z.enum(['steps', 'hidden', 'cell']),
  time_major: z.boolean(),
  clip: z.nullish(float32Scale),
  input_forget: z.boolean(),
  output: floatOutput(),
});
type Fields = z.infer<z.ZodMiniObject<ReturnType<typeof fields>>>;

export const lstmDynamic: Op = {
  name: 'lstm_dynamic',
  called: 'dynamic LSTM',
  schema: () => z.object(fields()),
  inputs: [1, 3],
  needs: ['weight', 'recurrent'],
  channels: 'last',
  dims: ({ form, inputs }) => dimsOf((form as TensorForm).attributes as DynamicLstmAttributes, inputs),
  read: readLstm,
};

type Inputs = Parameters<NonNullable<Op['dims']>>[0]['inputs'];

/** What it reads is [inputs] behind an axis of steps, or of sequences where its samples are steps; states are [directions, cells]. */
function dimsOf(own: DynamicLstmAttributes, [{ name, shape }, ...states]: Inputs): readonly number[] | string {
  const { inputs, cells, directions, timeMajor, gives } = own;
  const { dims } = shape;
  if (dims.length !== 2 || dims[1] !== inputs) {
    const axis = timeMajor ? 'sequences' : 'steps';
    return `expected an axis of ${axis} and one of ${inputs} values (its weights), got ${printable(name)} of shape ${dimsText(dims)}`;
  }
  const state = [directions, cells];
  const wrong = states.find(({ shape: one }) => one.dims.join() !== state.join());
  if (wrong)
    return `expected a state of shape ${dimsText(state)}, got ${printable(wrong.name)} of shape ${dimsText(wrong.shape.dims)}`;
  if (gives !== 'steps') return state;
  return timeMajor ? [directions, dims[0], cells] : [dims[0], directions, cells];
}

async function readLstm(layer: RawLayer): Promise<ReadLayer | null> {
  expectInput(layer, ['float32'], 'it quantizes its own input');
  if (!layer.fields) return null;
  const given = layer.fields as unknown as Fields;
  const { cells } = given;
  const directions = given.direction === 'bidirectional' ? 2 : 1;
  const reader = new Reader(layer, directions, cells);
  const weight = await reader.weights('weight', given.weight);
  const recurrent = await reader.weights('recurrent', given.recurrent);
  const columns = directions * 4 * cells;
  const inputs = Math.max(1, Math.floor(weight / columns));
  if (weight !== inputs * columns)
    reader.wrong(
      'weight',
      `expected a multiple of ${columns} numbers (4 gates of ${cells} cells in ${directions} direction${directions === 1 ? '' : 's'}), got ${weight}`,
    );
  reader.expect('recurrent', recurrent, cells * columns, `[${directions}, ${cells}, ${4 * cells}] weights`);
  await reader.floats('bias', given.bias, 8);
  await reader.floats('peephole', given.peephole, 3);
  if (layer.inputs.length === 2) reader.wrong('input', 'expected both states beside it or none, got one');
  if (given.time_major && (layer.inputs.length > 1 || given.gives !== 'steps'))
    reader.wrong(
      'time_major',
      'expected false beside states, or where "gives" is no steps: a state is of a sequence, and with time_major the samples are steps',
    );
  if (reader.isWrong) return null;
  const attributes: DynamicLstmAttributes = {
    inputs,
    cells,
    directions,
    isReversed: given.direction === 'reverse',
    gives: given.gives,
    timeMajor: given.time_major,
    clip: given.clip ?? null,
    inputForget: given.input_forget,
  };
  const arrays = () => reader.constants.read();
  return { form: { ...tensorForm(attributes), arrays, quantizesItself: true }, output: FLOAT };
}

/** Reads constants and holds their sizes to the cells' number. */
class Reader {
  isWrong = false;
  readonly constants: Constants;

  constructor(
    private readonly layer: RawLayer,
    private readonly directions: number,
    private readonly cells: number,
  ) {
    this.constants = new Constants(layer);
  }

  /** How many codes there are. */
  async weights(name: 'weight' | 'recurrent', { codes, dtype, scale, zero_point }: Fields['weight']): Promise<number> {
    const { directions, cells } = this;
    const count = await this.add(name, codes, dtype, [name, 'codes']);
    const scales = await this.add(`${name}.scale`, scale, 'float32', [name, 'scale'], SCALES);
    const zeroPoints = await this.add(`${name}.zero_point`, zero_point, dtype, [name, 'zero_point']);
    const all = directions * 4 * cells;
    for (const [path, given] of [
      ['scale', scales],
      ['zero_point', zeroPoints],
    ] as const)
      this.expect(
        `${name} ${path}`,
        given,
        given === all ? all : directions,
        `one a direction, or ${all}: one a column`,
      );
    return count;
  }

  async floats(name: 'bias' | 'peephole', raw: unknown, each: number): Promise<void> {
    if (raw === undefined || raw === null) return;
    const { directions, cells } = this;
    const count = await this.add(name, raw, 'float32', [name]);
    this.expect(name, count, directions * each * cells, `[${directions}, ${each * cells}]`);
  }

  expect(path: string, count: number, wanted: number, what: string): void {
    if (!this.isWrong && count !== wanted) this.wrong(path, `expected ${wanted} numbers (${what}), got ${count}`);
  }

  wrong(path: string, message: string): void {
    this.isWrong = true;
    this.layer.checks.problem('weight', [...this.layer.place, ...path.split(' ')], message);
  }

  private async add(...given: Parameters<Constants['add']>) {
    const count = await this.constants.add(...given);
    if (typeof count !== 'number') this.isWrong = true;
    return count ?? 0;
  }
}
