import { Checks } from '../documents/checks.js';
import { shapeText } from '../load/npy.js';
import { collecting } from '../load/refuse.js';
import type { ArrayFile, StoredDtype } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';
import type { Layer, Model } from '../nouns/model.js';
import type { ValueParams } from '../nouns/value.js';
import { featuresOf } from '../ops/fields/features.js';
import { listed, printable } from '../text.js';
import { BATCH_SIZES, isReplayed, readValues, type Slot, slotsOf, warnOfOthers } from './values.js';

/** The values of the model that a capture holds. Throws InputError with every problem. */
export async function validateCapture(model: Model, file: ArrayFile): Promise<Capture> {
  const checks = new Checks(file.path);
  const slots = slotsOf(model);
  const sources = new Map([...file.arrays].filter(([key]) => slots.has(key)));
  if (checkComparable(model, slots, new Set(sources.keys()), file, checks)) {
    warnOfOthers(file, new Set(slots.keys()), checks);
  }
  const features = featuresOf(model);
  const { shapes } = model;
  const expected = { model, slots, sources, features, shapes, samples: null, refuseDtype };
  const { samples, values, shapes: found } = await readValues(expected, checks);
  const count = samples?.count ?? 0;
  const batched = samples !== null && !slots.has(BATCH_SIZES);
  const batchSizes = batched ? await readBatchSizes(file, count, checks) : [count];
  const warnings = checks.finish();
  return { path: file.path, samples: count, values, shapes: found, batchSizes, warnings };
}

/** Something must be left to compare: a replayed layer's output, and an input to replay it from. */
function checkComparable(
  model: Model,
  slots: ReadonlyMap<string, Slot>,
  captured: ReadonlySet<string>,
  file: ArrayFile,
  checks: Checks,
): boolean {
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  const outputs = [...slots.values()].filter(({ computedBy }) => computedBy);
  const present = outputs.filter(({ key }) => captured.has(key));
  if (present.length === 0) {
    const names = listed(outputs.map(({ key }) => key));
    const expected = names ? `the output of a replayed layer (${names})` : 'a model with a layer that is replayed';
    checks.problem('nothing-to-compare', [], `expected ${expected}, got ${listed(file.arrays.keys())}`);
    return false;
  }
  const canBeReplayed = ({ computedBy }: Slot) => {
    let layer: Layer | undefined = computedBy!;
    while (layer && isReplayed(layer)) {
      const [input]: readonly string[] = layer.inputs;
      if (captured.has(`${layer.name}.input`) || captured.has(input)) return true;
      layer = layers.get(input);
    }
    return false;
  };
  if (present.some(canBeReplayed)) return true;
  const { name, inputs } = present[0].computedBy!;
  const [input] = inputs;
  const wanted = `${printable(input)} or ${printable(name)}.input`;
  const expected = `expected the input of a captured layer (${wanted} for ${printable(name)})`;
  checks.problem('nothing-to-compare', [], `${expected}, got ${listed(file.arrays.keys())}`);
  return false;
}

/** PyTorch's capture is taken as it is: any other dtype means that something was converted on the way. */
function refuseDtype(stored: StoredDtype, declared: ValueParams['dtype']): string | null {
  if (stored === declared || (declared === 'float32' && stored === 'float64')) return null;
  const expected = `expected ${declared}, got ${stored}`;
  if (declared === 'float32') return `${expected}; save float values as .astype(np.float32)`;
  if (stored.startsWith('float')) return `${expected}; save the integer representation (torch: int_repr())`;
  const isSignedness = stored === 'int8' || stored === 'uint8';
  const fix = isSignedness
    ? 'save int_repr() as it is, or correct the dtype in the model'
    : `save .astype(np.${declared})`;
  return `${expected}; ${fix}`;
}

/** How many samples each call had; one call without. */
async function readBatchSizes(file: ArrayFile, samples: number, checks: Checks): Promise<readonly number[]> {
  const source = file.arrays.get(BATCH_SIZES);
  if (!source) return [samples];
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
