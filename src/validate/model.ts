import { Checks, described, type Place } from '../documents/checks.js';
import { field } from '../load/json.js';
import type { Constant, Layer, Memory, Model, ModelInput } from '../nouns/model.js';
import type { ValueParams } from '../nouns/value.js';
import { Features } from '../ops/fields/features.js';
import type { ModelArrays } from '../ops/fields/numbers.js';
import { outputSchema, type RawOrigin } from '../ops/fields/schema.js';
import { valueParams } from '../ops/fields/valueParams.js';
import { opByName } from '../ops/named.js';
import type { Op, ReadLayer, Value } from '../ops/op.js';
import { counted, printable } from '../text.js';
import { readConstant } from './constant.js';
import { formatSchema, inputSchema, modelFileSchema, opaqueSchema, producerSchema } from './modelSchema.js';
import { fieldOfValue, inputsOf, Names, nameOf } from './names.js';
import { producerOf } from './producer.js';
import { type DeclaredShape, declaredShape, shapesOf } from './shapes.js';

/**
 * The model that the JSON of model.json describes. `arrays` is the npz it names.
 * Throws InputError with every problem of the file; what is odd but usable becomes a warning.
 */
export async function validateModel(raw: unknown, path: string, arrays: ModelArrays): Promise<Model> {
  const checks = new Checks(path);
  checkFormat(raw, checks);
  const file = checks.parse(modelFileSchema, raw, []);
  checks.noteUnknownFields(modelFileSchema, raw, []);
  checks.noteUnknownFields(producerSchema, field(raw, 'producer'), ['producer']);
  const rawLayers = listOf(field(raw, 'layers'));
  const names = new Names(checks, rawLayers);
  const rawInputs = listOf(field(raw, 'inputs'));
  const inputs: (ModelInput | null)[] = [];
  for (let i = 0; i < rawInputs.length && !checks.isFull(['inputs', i]); i++) {
    inputs.push(readInput(rawInputs[i], ['inputs', i], checks, names));
  }
  const rawConstants = listOf(field(raw, 'constants'));
  const constants: (Constant | null)[] = [];
  for (const [i, constant] of rawConstants.entries()) {
    if (checks.isFull(['constants', i])) break;
    const place = ['constants', i];
    const read = readConstant(constant, place, checks, arrays);
    names.declare(constant, read?.params, place);
    constants.push(read);
  }
  const reader = new LayerReader(checks, names, arrays);
  const layers: (Layer | null)[] = [];
  for (let i = 0; i < rawLayers.length && !checks.isFull(['layers', i]); i++) {
    layers.push(await reader.read(rawLayers[i], i));
  }
  if (layers.length < rawLayers.length) checks.finish();
  const declared = new Map([
    ...declaredShapes(rawInputs, 'inputs', checks),
    ...declaredShapes(rawLayers, 'layers', checks),
  ]);
  checks.finish();
  // Without a problem nothing is missing, but for weights in an npz whose own problems are known.
  const channelAxes = new Map(
    [...declared].flatMap(([name, { channelAxis: axis }]) => (axis === null ? [] : [[name, axis]])),
  );
  const parts = {
    inputs: inputs as ModelInput[],
    ...(constants.length > 0 ? { constants: constants.filter((constant) => constant !== null) } : {}),
    ...(file?.folded ? { folded: file.folded } : {}),
    ...(file?.samples_per_call ? { samplesPerCall: file.samples_per_call } : {}),
    layers: layers.filter((layer) => layer !== null),
    layout: file!.layout ?? 'NCHW',
    channelAxes,
  };
  const shapes = shapesOf(parts, declared, checks);
  const warnings = checks.finish();
  const memory = new Map([...rawInputs, ...rawLayers].flatMap(declaredMemory));
  const blocks = blocksBefore(rawLayers);
  const more = blocks.size > 0 ? { blocksBefore: blocks } : {};
  return { path, producer: producerOf(file!.producer), ...parts, shapes, memory, ...more, warnings };
}

/** Of layers, whose fields' types are checked already. */
function blocksBefore(layers: readonly unknown[]): Map<string, number> {
  const blocks = layers.map((raw) => [nameOf(raw), field(raw, 'blocks_before')] as const);
  return new Map(blocks.filter((pair): pair is [string, number] => pair[0] !== null && typeof pair[1] === 'number'));
}

/** Of an input or a layer, whose fields' types are checked already. */
function declaredMemory(raw: unknown): [string, Memory][] {
  const name = nameOf(raw);
  const [format, strides] = ['memory_format', 'strides'].map((field) => fieldOfValue(raw, field));
  // one that says its shape and no more is contiguous: pixel_shuffle is, after a channels_last convolution
  const says = [format, strides, fieldOfValue(raw, 'shape')].some((own) => own !== null);
  if (name === null || !says) return [];
  return [[name, { format: format === 'channels_last' ? format : 'contiguous', strides: strides as number[] | null }]];
}

function declaredShapes(values: readonly unknown[], list: string, checks: Checks): [string, DeclaredShape][] {
  return values.flatMap((raw, i) => {
    const name = nameOf(raw);
    return name === null ? [] : [[name, declaredShape(raw, [list, i], checks)]];
  });
}

/** Of another format or version no more is said: its fields may mean anything. */
function checkFormat(raw: unknown, checks: Checks): void {
  const version = field(raw, 'version');
  if (field(raw, 'format') === 'qdiff-model' && typeof version === 'number' && version !== 1) {
    const fix = 'export the model again, or use the qdiff that reads it';
    checks.problem('version', ['version'], `expected 1, got ${described(version)}; ${fix}`);
  } else {
    checks.parse(formatSchema, raw, []);
  }
  checks.finish();
}

function listOf(raw: unknown): readonly unknown[] {
  return Array.isArray(raw) ? raw : [];
}

function readInput(raw: unknown, place: Place, checks: Checks, names: Names): ModelInput | null {
  const parsed = checks.parse(inputSchema, raw, place);
  checks.noteUnknownFields(inputSchema, raw, place);
  const params = readParams(raw, place, checks);
  names.declare(raw, params, place);
  return parsed && params ? { name: parsed.name, params, ...(parsed.of_graph ? { ofGraph: true } : {}) } : null;
}

/** Parameters of a value, also where other fields beside them have problems; undefined if their own do. */
function readParams(raw: unknown, place: Place, checks: Checks): ValueParams | undefined {
  const fields = checks.silently(outputSchema, raw);
  return fields ? valueParams(fields, place, checks) : undefined;
}

/** Reads layers in execution order; null after a problem, with what could be read still checked. */
class LayerReader {
  private readonly features = new Features();
  private readonly schemas = new Map<Op, ReturnType<Op['schema']>>();

  constructor(
    private readonly checks: Checks,
    private readonly names: Names,
    private readonly arrays: ModelArrays,
  ) {}

  async read(raw: unknown, index: number): Promise<Layer | null> {
    const place: Place = ['layers', index];
    const op = field(raw, 'not_replayed') ? null : opByName(field(raw, 'op'));
    const inputs = inputsOf(raw).map((name) => this.names.read(name, index, [...place, 'input']));
    const lacks = op && whatItLacks(op, raw, inputs);
    if (lacks) this.warnOfLack(op!, raw, lacks, place);
    const layer = op && !lacks ? await this.replayed(op, raw, place, inputs) : this.opaque(raw, place);
    this.names.declare(raw, layer ? layer.output : undefined, place);
    return layer;
  }

  private warnOfLack({ name }: Op, raw: unknown, lacks: string, place: Place): void {
    const layer = printable(nameOf(raw) ?? '');
    this.checks.warn(
      'not-replayed',
      place,
      `${layer} is ${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name} ${lacks}: it is not replayed`,
    );
  }

  private opaque(raw: unknown, place: Place): Layer | null {
    const parsed = this.checks.parse(opaqueSchema, raw, place);
    const output = this.output(raw, place);
    if (!parsed || output === undefined) return null;
    const { name, op, not_replayed: notReplayed } = parsed;
    const because = notReplayed ? { notReplayed } : {};
    return { name, op, inputs: inputsOf(raw), output, form: null, ...because, ...originOf(parsed) };
  }

  /** What follows the schema is checked also where a field beside it has a problem. */
  private async replayed(op: Op, raw: unknown, place: Place, inputs: (Value | undefined)[]): Promise<Layer | null> {
    const { checks, features, arrays } = this;
    const schema = this.schemaOf(op);
    const layer = withInput(raw);
    checks.noteUnknownFields(schema, layer, place);
    checks.noteUnknownFields(outputSchema, field(raw, 'output'), [...place, 'output']);
    const fields = checks.parse(schema, layer, place);
    this.countInputs(op, inputs, place);
    const name = nameOf(raw) ?? '';
    // of another shape than its input it may have other channels
    if (op.channels === 'input' && !op.dims && inputs[0]) features.same(name, inputs[0].name);
    const output = this.output(raw, place);
    const read = await op.read({ raw, fields, name, op: op.name, place, inputs, output, checks, arrays, features });
    return (
      read && {
        name,
        op: op.name,
        inputs: inputsOf(raw),
        ...read,
        ...originOf(fields),
        ...onFloats(inputs, read, fields),
      }
    );
  }

  /** One for all layers of an op. */
  private schemaOf(op: Op): ReturnType<Op['schema']> {
    const schema = this.schemas.get(op) ?? op.schema();
    this.schemas.set(op, schema);
    return schema;
  }

  private countInputs({ name, inputs: [least, most] }: Op, inputs: readonly unknown[], place: Place): void {
    if (inputs.length === 0 || (inputs.length >= least && inputs.length <= most)) return;
    const expected = least === most ? counted(most, 'name') : `${least} to ${most} names`;
    this.checks.problem('inputs', [...place, 'input'], `expected ${expected} (${name}), got ${inputs.length}`);
  }

  /** A layer's declared output; null without, undefined after a problem. */
  private output(raw: unknown, place: Place): ValueParams | null | undefined {
    const output = field(raw, 'output');
    return output === undefined || output === null ? null : readParams(output, [...place, 'output'], this.checks);
  }
}

/** The nodes of the file that a layer was made of, and what they run in. */
function originOf(
  fields: RawOrigin | null,
): Pick<Layer, 'nodes' | 'arithmetic' | 'because' | 'remedy' | 'hazards' | 'delegates' | 'ranAs'> {
  const { nodes, arithmetic, because, remedy, hazards, delegates, ran_as: ranAs } = fields ?? {};
  const given = { nodes, arithmetic, because, remedy, hazards, delegates, ranAs };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
}

/** An op on whole values that are all float32: steps on codes read none, and who quantizes it itself runs on codes. */
function onFloats(inputs: readonly (Value | undefined)[], { form, output }: ReadLayer, fields: RawOrigin | null) {
  const values = [...inputs.map((input) => input?.params), output];
  const isOnFloats =
    form.kind === 'tensor' &&
    !form.quantizesItself &&
    fields?.arithmetic !== 'integers' &&
    values.every((params) => params?.dtype === 'float32');
  return isOnFloats ? { onFloats: true as const } : {};
}

const CODES = ['uint8', 'int8', 'int16', 'uint16'];

/** Why a layer of a known op stays what it was before the op had a file; null: nothing. */
function whatItLacks(op: Op, raw: unknown, inputs: readonly (Value | undefined)[]): string | null {
  const lacks = op.needs?.find((name) => field(raw, name) === undefined);
  if (lacks !== undefined) return `without ${lacks}`;
  const beyond = op.beyond?.((name) => field(raw, name));
  if (beyond || op.reads !== 'codes' || field(raw, 'arithmetic') === 'float') return beyond ?? null;
  const dtypes = [...inputs.map((input) => input?.params?.dtype), field(field(raw, 'output'), 'dtype')];
  const known = dtypes.filter((dtype) => typeof dtype === 'string');
  if (known.every((dtype) => dtype === 'float32')) return null;
  const other = known.find((dtype) => !CODES.includes(dtype));
  return other === undefined ? null : `of ${other}`;
}

/** "inputs" is read as "input". */
function withInput(raw: unknown): unknown {
  if (field(raw, 'inputs') === undefined || field(raw, 'input') !== undefined) return raw;
  const { inputs, ...others } = raw as { inputs: unknown };
  return { ...others, input: inputs };
}
