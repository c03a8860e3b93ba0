/** TFLite's UNIDIRECTIONAL_SEQUENCE_LSTM on integers: int8 values and weights, int16 gates and cells; it keeps both its states. */
import * as z from 'zod/mini';
import type { LstmAttributes, LstmGate } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText } from '../tensor/shape.js';
import { printable } from '../text.js';
import { Constants } from './fields/constants.js';
import { layerFields, list, maybeSize, numbers, outputSchema, float32Scale as scale } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op, RawLayer, ReadLayer } from './op.js';

const maybeScale = z.nullish(scale);
const integers = (description: string) => numbers(description, list('integer'));
const maybeIntegers = (description: string) => z.nullish(integers(description));
const zeroPoint = z.int().check(z.minimum(-128), z.maximum(127));
const clip = z.number().check(z.nonnegative());

const gate = () =>
  z.object({
    input: integers('int8, [cells, inputs]'),
    input_scale: scale,
    recurrent: integers('int8, [cells, outputs]'),
    recurrent_scale: scale,
    bias: integers('int32, [cells]'),
    peephole: maybeIntegers('int16, [cells]'),
    peephole_scale: maybeScale,
    norm: maybeIntegers('int16, [cells]'),
    norm_scale: maybeScale,
    scale: maybeScale,
  });

const fields = () => ({
  ...layerFields,
  time_major: z.boolean(),
  batch: maybeSize,
  gates: z.object({ input: z.nullish(gate()), forget: gate(), cell: gate(), output: gate() }),
  projection: z.nullish(
    z.object({ weight: integers('int8, [outputs, cells]'), scale, bias: maybeIntegers('int32, [outputs]') }),
  ),
  hidden: z.object({ scale, zero_point: zeroPoint }),
  state: z.object({ scale, zero_point: zeroPoint }),
  cell_scale: scale,
  cell_clip: clip,
  proj_clip: clip,
  output: outputSchema,
});
type Fields = z.infer<z.ZodMiniObject<ReturnType<typeof fields>>>;
type RawGate = Fields['gates']['forget'];
interface NamedGate {
  readonly name: string;
  readonly own: RawGate;
}

export const sequenceLstm: Op = {
  name: 'sequence_lstm',
  called: 'LSTM',
  schema: () => z.object(fields()),
  inputs: [1, 1],
  needs: ['gates', 'hidden', 'state', 'cell_scale', 'output'],
  reads: 'codes',
  channels: 'last',
  dims({ form, inputs: [{ name, shape }] }) {
    const { inputs, outputs } = (form as TensorForm).attributes as LstmAttributes;
    const { dims } = shape;
    if (dims.at(-1) === inputs && (dims.length === 2 || dims.length === 3)) return [...dims.slice(0, -1), outputs];
    const got = `got ${printable(name)} of shape ${dimsText(dims)}`;
    return `expected steps of ${inputs} values (its weights), with one or two axes before them, ${got}`;
  },
  read: readLstm,
};

async function readLstm(layer: RawLayer): Promise<ReadLayer | null> {
  if (!layer.fields || !layer.output) return null;
  const given = layer.fields as unknown as Fields;
  const constants = new Constants(layer);
  const reader = new GateReader(layer, constants);
  for (const name of ['input', 'forget', 'cell', 'output'] as const) {
    const own = given.gates[name];
    if (own) await reader.gate(name, own);
  }
  reader.partsOf(given.gates);
  const { cells, inputs, outputs } = reader.sizes;
  const { projection } = given;
  if (projection) await reader.projection(projection);
  else reader.expect('gates', outputs, cells, 'outputs, as many as cells without a projection');
  if (reader.isWrong) return null;
  const attributes: LstmAttributes = {
    ...(given.batch !== undefined && { batch: given.batch }), // what the calls have is no difference of two models
    cells,
    inputs,
    outputs,
    timeMajor: given.time_major,
    input: given.gates.input ? gateOf(given.gates.input) : null,
    forget: gateOf(given.gates.forget),
    cell: gateOf(given.gates.cell),
    output: gateOf(given.gates.output),
    projectionScale: projection?.scale ?? null,
    hiddenScale: given.hidden.scale,
    hiddenZeroPoint: given.hidden.zero_point,
    stateScale: given.state.scale,
    stateZeroPoint: given.state.zero_point,
    cellScale: given.cell_scale,
    cellClip: given.cell_clip,
    projClip: given.proj_clip,
  };
  const form: TensorForm = { ...tensorForm(attributes), arrays: () => constants.read(), keepsState: true };
  return { form, output: layer.output };
}

function gateOf(raw: RawGate): LstmGate {
  return {
    inputScale: raw.input_scale,
    recurrentScale: raw.recurrent_scale,
    peepholeScale: raw.peephole ? (raw.peephole_scale ?? null) : null,
    normScale: raw.norm ? (raw.norm_scale ?? null) : null,
    scale: raw.scale ?? null,
  };
}

/** Reads constants and holds their sizes to those of the first gate. */
class GateReader {
  isWrong = false;
  sizes = { cells: 0, inputs: 0, outputs: 0 };

  constructor(
    private readonly layer: RawLayer,
    private readonly constants: Constants,
  ) {}

  async gate(name: string, raw: RawGate): Promise<void> {
    const add = (part: string, dtype: 'int8' | 'int16' | 'int32') =>
      this.add(`${name}.${part}`, raw[part as keyof RawGate], dtype, ['gates', name, part]);
    const bias = await add('bias', 'int32');
    const input = await add('input', 'int8');
    const recurrent = await add('recurrent', 'int8');
    const [peephole, norm] = [await add('peephole', 'int16'), await add('norm', 'int16')];
    if (bias === null || input === null || recurrent === null) return;
    if (this.sizes.cells === 0) this.sizes = { cells: bias, inputs: input / bias, outputs: recurrent / bias };
    const { cells, inputs, outputs } = this.sizes;
    this.expect(`gates ${name} bias`, bias, cells, 'cells');
    this.expect(`gates ${name} input`, input, cells * inputs, `[${cells}, ${inputs}] weights`);
    this.expect(`gates ${name} recurrent`, recurrent, cells * outputs, `[${cells}, ${outputs}] weights`);
    for (const own of [peephole, norm]) if (own !== null) this.expect(`gates ${name}`, own, cells, 'cells');
    if ((peephole !== null && !raw.peephole_scale) || (norm !== null && !(raw.norm_scale && raw.scale)))
      this.wrong(`gates ${name}`, 'expected a scale of its peephole, its norm and its normalized sums, got none');
  }

  /** As TFLite prepares them: a peephole of all gates but the cell's, or of none; all normalized, or none. */
  partsOf(gates: Fields['gates']): void {
    if (this.isWrong) return;
    const known = Object.entries(gates).flatMap(([name, own]) => (own ? [{ name, own }] : []));
    if (gates.cell.peephole) this.wrong('gates cell peephole', 'expected none, as the cell gate has no peephole');
    const peepholes = known.filter(({ name }) => name !== 'cell');
    this.allOrNone(peepholes, 'peephole');
    this.allOrNone(known, 'norm');
    const scaled = known.find(({ own }) => own.scale && !own.norm);
    if (scaled && !this.isWrong)
      this.wrong(`gates ${scaled.name} scale`, 'expected none, as its sums are not normalized (norm)');
  }

  private allOrNone(all: readonly NamedGate[], part: 'peephole' | 'norm'): void {
    const without = all.filter(({ own }) => !own[part]);
    if (this.isWrong || without.length === 0 || without.length === all.length) return;
    const names = all.map(({ name }) => name).join(', ');
    this.wrong(`gates ${without[0].name}`, `expected a ${part}, as other gates have one (all of ${names}, or none)`);
  }

  async projection(raw: NonNullable<Fields['projection']>): Promise<void> {
    const { cells, outputs } = this.sizes;
    const weight = await this.add('projection.weight', raw.weight, 'int8', ['projection', 'weight']);
    const bias = await this.add('projection.bias', raw.bias, 'int32', ['projection', 'bias']);
    if (weight !== null) this.expect('projection weight', weight, outputs * cells, `[${outputs}, ${cells}] weights`);
    if (bias !== null) this.expect('projection bias', bias, outputs, 'outputs');
  }

  expect(path: string, count: number, wanted: number, what: string): void {
    if (!this.isWrong && (count !== wanted || !Number.isInteger(wanted) || wanted === 0))
      this.wrong(path, `expected ${wanted} numbers (${what}), got ${count}`);
  }

  private async add(name: string, raw: unknown, dtype: 'int8' | 'int16' | 'int32', path: readonly string[]) {
    const count = await this.constants.add(name, raw, dtype, path);
    if (count === undefined) this.isWrong = true;
    return count ?? null;
  }

  private wrong(path: string, message: string): void {
    this.isWrong = true;
    this.layer.checks.problem('weight', [...this.layer.place, ...path.split(' ')], message);
  }
}
