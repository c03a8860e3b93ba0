import type { ByteRange, Table } from '../flatbuffer.js';
import type { Operator, Option, SubGraph, Tensor } from './model.js';
import { OPTIONS, type OptionField } from './operators.js';
import { readTensor } from './tensor.js';

/** Of tensors, and of nodes: the largest networks have a few thousand. */
export const MOST_ITEMS = 200_000;
const MOST_INPUTS = 4096;

/** An operator as OperatorCode names it. */
export interface OperatorKind {
  readonly name: string;
  readonly customCode: string;
}

/** Reads a SubGraph table, its nodes in the order in which they run: each on values that are there. */
export async function readSubGraph(
  table: Table,
  kinds: readonly OperatorKind[],
  buffers: readonly (ByteRange | null)[],
): Promise<SubGraph> {
  const tensors: Tensor[] = [];
  for await (const item of table.tables(0, 'tensors', MOST_ITEMS)) {
    tensors.push(await readTensor(item, tensors.length, buffers));
  }
  const inputs = await indices(table, 1, 'inputs', tensors.length, 0);
  const outputs = await indices(table, 2, 'outputs', tensors.length, 0);
  const values = new Values(tensors, inputs);
  const operators: Operator[] = [];
  for await (const item of table.tables(3, 'operators', MOST_ITEMS)) {
    const operator = await readOperator(item, operators.length, kinds, tensors.length);
    values.run(operator, item);
    operators.push(operator);
  }
  const missing = outputs.find((index) => !values.has(index));
  if (missing === undefined) return { tensors, inputs, outputs, operators };
  throw table.refuse('outputs', `expected tensors that a node computes, got ${missing}`);
}

async function readOperator(
  table: Table,
  index: number,
  kinds: readonly OperatorKind[],
  tensors: number,
): Promise<Operator> {
  const opcode = table.scalar(0, 'opcode_index', 'Uint32', 0);
  if (opcode >= kinds.length) {
    throw table.refuse('opcode_index', `expected one of ${kinds.length} operator codes, got ${opcode}`);
  }
  const { name, customCode } = kinds[opcode];
  const inputs = await indices(table, 1, 'inputs', tensors, -1);
  const outputs = await indices(table, 2, 'outputs', tensors, 0);
  const intermediates = await indices(table, 8, 'intermediates', tensors, 0);
  return { index, name, customCode, inputs, outputs, intermediates, options: await readOptions(table, name) };
}

async function indices(table: Table, id: number, field: string, count: number, least: number): Promise<number[]> {
  const all = await table.int32s(id, field, least < 0 ? MOST_INPUTS : MOST_ITEMS);
  const wrong = all.find((index) => index < least || index >= count);
  if (wrong === undefined) return all;
  throw table.refuse(field, `expected tensors ${least}..${count - 1}, got ${wrong}`);
}

/** Which tensors hold a value: constants, inputs, and what the nodes before have computed. */
class Values {
  private readonly known: boolean[];

  constructor(tensors: readonly Tensor[], inputs: readonly number[]) {
    this.known = tensors.map(({ data }) => data !== null);
    for (const index of inputs) this.known[index] = true;
    this.hasOwnState = tensors.map(({ type, unusual }) => type.name === 'resource' || unusual !== null);
  }

  /** Variables and weights that lie elsewhere have no bytes here, and no node computes them. */
  private readonly hasOwnState: readonly boolean[];

  has(index: number): boolean {
    return this.known[index] || this.hasOwnState[index];
  }

  run({ name, inputs, outputs }: Operator, table: Table): void {
    const early = inputs.find((index) => index >= 0 && !this.has(index));
    if (early !== undefined && !KEEPS_STATE.has(name)) {
      throw table.refuse('inputs', `expected tensors that are computed before, got ${early}`);
    }
    for (const index of outputs) {
      if (this.known[index]) {
        throw table.refuse('outputs', `expected tensors that nothing else computes, got ${index}`);
      }
      this.known[index] = true;
    }
  }
}

/** They keep a state in tensors marked as variables. */
const KEEPS_STATE = new Set([
  'SVDF',
  'LSTM',
  'RNN',
  'UNIDIRECTIONAL_SEQUENCE_LSTM',
  'UNIDIRECTIONAL_SEQUENCE_RNN',
  'BIDIRECTIONAL_SEQUENCE_LSTM',
  'BIDIRECTIONAL_SEQUENCE_RNN',
]);

/** Missing options are zeros, as TFLite reads them. */
async function readOptions(table: Table, name: string): Promise<ReadonlyMap<string, Option>> {
  const known = OPTIONS.get(name);
  if (!known) return new Map();
  const type = table.scalar(3, 'builtin_options_type', 'Uint8', 0);
  if (type !== 0 && type !== known.type) {
    throw table.refuse('builtin_options', `expected options of type ${known.type} (${name}), got ${type}`);
  }
  const given = type === 0 ? null : await table.table(4, 'builtin_options');
  const options = new Map<string, Option>();
  for (const field of known.fields) options.set(field.name, given ? await readOption(given, field) : absent(field));
  return options;
}

const SCALARS = { i8: 'Int8', i32: 'Int32', flag: 'Uint8', f32: 'Float32' } as const;

async function readOption(table: Table, { id, name, kind, missing }: OptionField): Promise<Option> {
  return kind === 'text' ? table.text(id, name) : table.scalar(id, name, SCALARS[kind], missing);
}

function absent({ kind }: OptionField): Option {
  return kind === 'text' ? '' : 0;
}
