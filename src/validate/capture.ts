import { Checks } from '../documents/checks.js';
import { shapeText } from '../load/npy.js';
import { collecting } from '../load/refuse.js';
import type { ArrayFile, ArraySource, StoredDtype } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';
import type { Model } from '../nouns/model.js';
import type { ValueParams } from '../nouns/value.js';
import { featuresOf } from '../ops/fields/features.js';
import { printable } from '../text.js';
import { type CaptureUse, checkComparable } from './comparable.js';
import { warnOfOthers } from './others.js';
import { PRODUCER, readProducer } from './producer.js';
import { samplesFirst } from './samplesFirst.js';
import { BATCH_SIZES, isReplayed, readValues, type SampleCount, type Slot, slotsOf } from './values.js';

/** The values of the model that a capture holds. Throws InputError with every problem, of what it is to be used for too. */
export async function validateCapture(model: Model, file: ArrayFile, use: CaptureUse = 'replay'): Promise<Capture> {
  const checks = new Checks(file.path);
  const slots = slotsOf(model);
  const stored = new Map([...file.arrays].filter(([key]) => slots.has(key)));
  const sources = samplesFirst(stored, model, file);
  if (checkComparable(model, new Set(sources.keys()), file, use, checks)) {
    warnOfOthers(file, new Set([...slots.keys(), ...(model.folded ?? [])]), checks);
    if (use !== 'values') checkInputs(model, file, checks);
  }
  const features = featuresOf(model);
  const { shapes } = model;
  const first = countedByFirst(slots, sources);
  const refused = (dtype: StoredDtype, declared: ValueParams['dtype']) => refuseDtype(dtype, declared, model);
  const expected = { model, slots, sources, features, shapes, samples: first, refuseDtype: refused };
  const { samples, values, shapes: found } = await readValues(expected, checks);
  const count = samples?.count ?? 0;
  const batched = samples !== null && !slots.has(BATCH_SIZES);
  const batchSizes = batched ? await readBatchSizes(file, model, count, checks) : [count];
  const producer = slots.has(PRODUCER) ? null : await readProducer(file, checks);
  const warnings = checks.finish();
  return { path: file.path, bytes: file.bytes, samples: count, values, shapes: found, producer, batchSizes, warnings };
}

/** A graph runs on its inputs: a capture of it without one is of another graph, or cut short. */
function checkInputs({ inputs, layers }: Model, { arrays }: ArrayFile, checks: Checks): void {
  for (const { name, params, ofGraph } of inputs) {
    const readers = layers.filter((layer) => isReplayed(layer) && layer.inputs.includes(name));
    const isThere = arrays.has(name) || readers.every((layer) => arrays.has(`${layer.name}.input`));
    if (!ofGraph || readers.length === 0 || isThere) continue;
    const got = 'got no array of its name; save it too, as qdiff run and qdiff exporter onnx do';
    checks.problem('input', [name], `expected the input of the graph (${params.dtype}), ${got}`);
  }
}

/** Where no layer that is replayed says what a sample is, the first array's first axis does. */
function countedByFirst(
  slots: ReadonlyMap<string, Slot>,
  sources: ReadonlyMap<string, ArraySource>,
): SampleCount | null {
  if ([...slots.values()].some(({ key, counts, loose }) => counts && !loose && sources.has(key))) return null;
  const first = [...sources].find(([, { shape }]) => shape.length > 1 && !shape.includes(0));
  return first ? { count: first[1].shape[0], because: `as ${printable(first[0])} has` } : null;
}

/** A capture is taken as it is: any other dtype means that something was converted on the way. */
function refuseDtype(stored: StoredDtype, declared: ValueParams['dtype'], { producer }: Model): string | null {
  if (stored === declared || (declared === 'float32' && stored === 'float64')) return null;
  const expected = `expected ${declared}, got ${stored}`;
  if (declared === 'float32') return `${expected}; save float values as .astype(np.float32)`;
  const ofFile = producer.file !== undefined;
  const codes = ofFile ? "the runtime's own codes" : 'the integer representation (torch: int_repr())';
  if (stored.startsWith('float')) return `${expected}; save ${codes}`;
  const isSignedness = stored === 'int8' || stored === 'uint8';
  const asItIs = ofFile
    ? `save ${codes}, not shifted by 128 (or is it another file's capture?)`
    : 'save int_repr() as it is, or correct the dtype in the model';
  const fix = isSignedness ? asItIs : `save .astype(np.${declared})`;
  return `${expected}; ${fix}`;
}

/** How many samples each call had; without, as many as the graph takes, or one call. */
async function readBatchSizes(
  file: ArrayFile,
  { samplesPerCall }: Model,
  samples: number,
  checks: Checks,
): Promise<readonly number[]> {
  const source = file.arrays.get(BATCH_SIZES);
  if (!source) return callsOf(samples, samplesPerCall ?? samples);
  const place = [BATCH_SIZES];
  if (!/^u?int/.test(source.dtype) || source.shape.length > 1 || (source.shape[0] ?? 1) > samples) {
    const got = `got ${source.dtype} of shape ${shapeText(source.shape)}`;
    checks.problem('batch-sizes', place, `expected int64, one number for each call, at most ${samples}, ${got}`);
    return [];
  }
  const sizes = (await collecting(checks.problems, () => source.read())) ?? [];
  const wrong = sizes.find((size) => !(size >= 1));
  const sum = [...sizes].reduce((total, size) => total + size, 0);
  if (wrong !== undefined) {
    checks.problem('batch-sizes', place, `expected sizes of at least 1, got ${wrong}`);
  } else if (sum !== samples) {
    checks.problem('batch-sizes', place, `expected sizes that add up to ${samples} samples, got ${sum}`);
  }
  return [...sizes];
}

function callsOf(samples: number, each: number): number[] {
  const calls = new Array<number>(Math.floor(samples / each)).fill(each);
  return samples % each === 0 ? calls : [...calls, samples % each];
}
