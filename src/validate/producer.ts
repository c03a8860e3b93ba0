/** Who computed a capture: as model.json says, or before that as the capture itself does. */
import type { Checks } from '../documents/checks.js';
import { NoNumbers } from '../load/noNumbers.js';
import { shapeText } from '../load/npy.js';
import { collecting } from '../load/refuse.js';
import type { ArrayFile } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';
import type { Model, Producer } from '../nouns/model.js';
import { producerSchema, type RawProducer } from './modelSchema.js';

/** An array beside the values: the bytes of a JSON object. */
export const PRODUCER = 'producer';

const MOST_BYTES = 1 << 20;

export function producerOf(raw: RawProducer | null | undefined): Producer {
  const { framework, framework_version, flow, engine, kernel, arch, cpu_capability, ...rest } = raw ?? {};
  return {
    framework: framework ?? undefined,
    frameworkVersion: framework_version ?? undefined,
    flow: flow ?? undefined,
    engine: engine ?? undefined,
    kernel: kernel ?? undefined,
    arch: arch ?? undefined,
    cpuCapability: cpu_capability ?? undefined,
    avx512: rest.avx512 ?? undefined,
    avx512Vnni: rest.avx512_vnni ?? undefined,
    avxVnni: rest.avx_vnni ?? undefined,
    amxInt8: rest.amx_int8 ?? undefined,
    threads: rest.threads ?? undefined,
    capturedAsRun: rest.outputs_changed_by_capturing == null ? undefined : true,
    delegated: rest.delegated ?? undefined,
    settings: rest.settings
      ? new Map(Object.entries(rest.settings).map(([name, value]) => [name, settingText(value)]))
      : undefined,
    environment: rest.environment ? new Map(Object.entries(rest.environment)) : undefined,
  };
}

/** As a session takes it: flags are 0 and 1. */
function settingText(value: string | number | boolean): string {
  return typeof value === 'boolean' ? String(Number(value)) : String(value);
}

/** Null without one, or after a problem. */
export async function readProducer({ arrays }: ArrayFile, checks: Checks): Promise<Producer | null> {
  const source = arrays.get(PRODUCER);
  if (!source) return null;
  if (source instanceof NoNumbers) {
    checks.problems.push(...source.error.problems);
    return null;
  }
  const expected = 'expected the bytes of a JSON object as uint8';
  if (source.dtype !== 'uint8' || source.shape.length !== 1 || source.shape[0] > MOST_BYTES) {
    checks.problem('producer', [PRODUCER], `${expected}, got ${source.dtype} of shape ${shapeText(source.shape)}`);
    return null;
  }
  const bytes = await collecting(checks.problems, () => source.read());
  if (!bytes) return null;
  const raw = jsonOf(Uint8Array.from(bytes));
  if (raw === undefined) checks.problem('producer', [PRODUCER], `${expected}, got bytes that are no JSON`);
  const parsed = raw === undefined ? null : checks.parse(producerSchema, raw, [PRODUCER]);
  return parsed && producerOf(parsed);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** The model as computed by the capture's producer: what that does not say stays what the model says. */
export function computedBy<M extends Model>(model: M, { producer }: Capture): M {
  if (!producer) return model;
  const said = Object.entries(producer).filter(([, value]) => value !== undefined);
  return { ...model, producer: { ...model.producer, ...Object.fromEntries(said) } };
}
