import { Checks, described, type Place } from '../documents/checks.js';
import type { Layer, Model, ModelInput, PointwiseLayer, Producer } from '../nouns/model.js';
import type { ValueParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import { printable } from '../text.js';
import { Features } from './features.js';
import { linearParams } from './linear.js';
import {
  formatSchema,
  inputSchema,
  layerSchemas,
  modelFileSchema,
  opaqueSchema,
  outputSchema,
  producerSchema,
  type RawLinear,
  type RawProducer,
  type ReplayedOp,
} from './modelSchema.js';
import { field, inputsOf, Names, nameOf, type Value } from './names.js';
import type { ModelArrays } from './numbers.js';
import { FLOAT, valueParams } from './valueParams.js';

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
  const inputs = listOf(field(raw, 'inputs')).map((input, i) => readInput(input, ['inputs', i], checks, names));
  const reader = new LayerReader(checks, names, arrays);
  const layers: (Layer | null)[] = [];
  for (let i = 0; i < rawLayers.length; i++) layers.push(await reader.read(rawLayers[i], i));
  const warnings = checks.finish();
  // Without a problem nothing is missing.
  return {
    path,
    producer: producerOf(file!.producer),
    inputs: inputs as ModelInput[],
    layers: layers as Layer[],
    warnings,
  };
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
  return parsed && params ? { name: parsed.name, params } : null;
}

/** Parameters of a value, also where other fields beside them have problems; undefined if their own do. */
function readParams(raw: unknown, place: Place, checks: Checks): ValueParams | undefined {
  const fields = checks.silently(outputSchema, raw);
  return fields ? valueParams(fields, place, checks) : undefined;
}

/** Reads layers in execution order; null after a problem, with what could be read still checked. */
class LayerReader {
  private readonly features = new Features();

  constructor(
    private readonly checks: Checks,
    private readonly names: Names,
    private readonly arrays: ModelArrays,
  ) {}

  async read(raw: unknown, index: number): Promise<Layer | null> {
    const place: Place = ['layers', index];
    const op = field(raw, 'op');
    const [input] = inputsOf(raw).map((name) => this.names.read(name, index, [...place, 'input']));
    const isReplayed = typeof op === 'string' && Object.hasOwn(layerSchemas, op);
    const layer = isReplayed ? await this.replayed(op as ReplayedOp, raw, place, input) : this.opaque(raw, place);
    this.names.declare(raw, layer ? layer.output : undefined, place);
    return layer;
  }

  private opaque(raw: unknown, place: Place): Layer | null {
    const parsed = this.checks.parse(opaqueSchema, raw, place);
    const output = this.output(raw, place);
    if (!parsed || output === undefined) return null;
    return { name: parsed.name, op: 'opaque', declaredOp: parsed.op, input: inputsOf(raw)[0] ?? '', output };
  }

  private async replayed(op: ReplayedOp, raw: unknown, place: Place, input: Value | undefined): Promise<Layer | null> {
    const { checks, features } = this;
    checks.noteUnknownFields(layerSchemas[op], raw, place);
    checks.noteUnknownFields(outputSchema, field(raw, 'output'), [...place, 'output']);
    const parsed = checks.parse(layerSchemas[op], raw, place);
    // What follows is checked also where a field beside it has a problem.
    const base = { name: nameOf(raw) ?? '', input: inputsOf(raw)[0] ?? '' };
    const output = this.output(raw, place);
    if (op !== 'linear' && op !== 'linear_dynamic') features.same(base.name, base.input);
    switch (op) {
      case 'linear': {
        this.expectInput(input, ['uint8', 'int8'], place, 'put a quantize layer before it, or use op "linear_dynamic"');
        const params = await linearParams(raw as RawLinear, base, place, checks, this.arrays, features);
        return parsed && params && output ? { ...base, op, ...params, output } : null;
      }
      case 'linear_dynamic': {
        this.expectInput(input, ['float32'], place, 'it quantizes its own input; use op "linear" on codes');
        const params = await linearParams(raw as RawLinear, base, place, checks, this.arrays, features);
        const reduceRange = field(parsed, 'reduce_range') === true;
        return parsed && params ? { ...base, op, ...params, reduceRange, output: FLOAT } : null;
      }
      case 'quantize': {
        this.expectInput(input, ['float32'], place, 'that value is quantized already');
        return parsed && output && isQuantized(output) ? { ...base, op, output } : null;
      }
      case 'dequantize':
        this.expectInput(input, ['uint8', 'int8', 'int32'], place, 'that value is float already');
        return parsed && { ...base, op, output: FLOAT };
      default: {
        const kept = this.keptOutput(op, output, place, input);
        return parsed && kept ? { ...base, op, output: kept } : null;
      }
    }
  }

  /** A layer's declared output; null without, undefined after a problem. */
  private output(raw: unknown, place: Place): ValueParams | null | undefined {
    const output = field(raw, 'output');
    return output === undefined || output === null ? null : readParams(output, [...place, 'output'], this.checks);
  }

  private expectInput(input: Value | undefined, dtypes: readonly string[], place: Place, fix: string): void {
    if (!input?.params || dtypes.includes(input.params.dtype)) return;
    const got = `got ${printable(input.name)}, which is ${input.params.dtype}; ${fix}`;
    this.checks.problem('input-dtype', [...place, 'input'], `expected a ${dtypes.join(' or ')} value, ${got}`);
  }

  /** relu, relu6 and identity keep the parameters of what they read; a file may repeat them. */
  private keptOutput(op: PointwiseLayer['op'], declared: Value['params'], layerPlace: Place, input: Value | undefined) {
    const place = [...layerPlace, 'output'];
    const kept = input?.params;
    if (declared === undefined || kept === undefined) return null;
    if (kept === null) {
      const got = `got nothing, and its input ${printable(input!.name)} declares none either`;
      if (!declared) this.checks.problem('output', place, `expected dtype, scale and zero_point, ${got}`);
      return declared;
    }
    if (!declared) return kept;
    if (declared.dtype !== kept.dtype) {
      const got = `got ${declared.dtype}; write op "quantize" or "dequantize" for a change of dtype`;
      this.checks.problem('output', [...place, 'dtype'], `expected ${kept.dtype}, which ${op} keeps, ${got}`);
      return null;
    }
    if (!isQuantized(declared) || !isQuantized(kept)) return kept;
    if (declared.scale !== kept.scale || declared.zeroPoint !== kept.zeroPoint) {
      const keeps = `${op} keeps its input's scale ${kept.scale} and zero_point ${kept.zeroPoint}`;
      const ignored = `the declared ${declared.scale} and ${declared.zeroPoint} are ignored`;
      this.checks.warn('output-params', place, `${keeps}; ${ignored}`);
    }
    return { ...kept, quantMin: declared.quantMin, quantMax: declared.quantMax };
  }
}

function producerOf(raw: RawProducer | null | undefined): Producer {
  const { framework, framework_version, flow, engine, kernel, arch, cpu_capability, ...rest } = raw ?? {};
  return {
    framework: framework ?? undefined,
    frameworkVersion: framework_version ?? undefined,
    flow: flow ?? undefined,
    engine: engine ?? undefined,
    kernel: kernel ?? undefined,
    arch: arch ?? undefined,
    cpuCapability: cpu_capability ?? undefined,
    avx512Vnni: rest.avx512_vnni ?? undefined,
    avxVnni: rest.avx_vnni ?? undefined,
    environment: rest.environment ? new Map(Object.entries(rest.environment)) : undefined,
  };
}
