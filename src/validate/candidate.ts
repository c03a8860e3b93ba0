import { resolve } from 'node:path';
import { Checks } from '../documents/checks.js';
import { whichSamples } from '../load/memhFolder.js';
import { collecting } from '../load/refuse.js';
import type { ArrayFile, ArraySource, StoredDtype } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';
import type { Model } from '../nouns/model.js';
import type { ValueParams } from '../nouns/value.js';
import { featuresOf } from '../ops/fields/features.js';
import { counted, listed, printable } from '../text.js';
import { withSamples } from './flat.js';
import { warnOfOthers } from './others.js';
import { PRODUCER, readProducer } from './producer.js';
import { samplesFirst } from './samplesFirst.js';
import { readValues, type Slot, slotsOf } from './values.js';

/** Code of the warning of a candidate that is golden's own folder: report/words/verdict.ts says it beside the verdict. */
const GOLDENS_OWN = 'goldens-own';
const GOLDENS_OWN_SAID =
  "every file is byte for byte as golden wrote it: golden's vectors were compared, no result of yours; let your run write its outputs to a folder of its own";

/**
 * The values that the user's own implementation computed, by the capture's names; some may be missing.
 * names: the candidate's name of a value to the model's, as `--map MINE=LAYER` says.
 * Throws InputError with every problem.
 */
export async function validateCandidate(
  model: Model,
  capture: Capture,
  file: ArrayFile,
  names: ReadonlyMap<string, string> = new Map(),
  against: 'capture' | 'replay' = 'capture',
): Promise<Capture> {
  const checks = new Checks(file.path);
  const slots = slotsBeside(model, capture);
  const { sources: stored, used } = renamed(slots, file, names, checks);
  const sources = withSamples(samplesFirst(stored, model, file), capture, checks);
  const features = featuresOf(model);
  for (const [key, { features: count }] of capture.values) {
    const value = slots.get(key)?.value ?? key;
    features.claim(value, { count, because: 'as captured', ifTransposed: null });
  }
  const layers = model.layers.filter(({ name, form }) => (against === 'replay' ? form : capture.values.has(name)));
  const judged = layers.map(({ name }) => name);
  const sums = model.layers.map(({ name }) => `${name}.accumulator`);
  if (file.untouched && file.untouched.length > 0) {
    const left = `${listed(file.untouched, 8)}: as golden wrote ${file.untouched.length === 1 ? 'it' : 'them'}`;
    checks.warn('not-from-your-run', [], `${left}, so not from your run: left out`);
  }
  if (file.isGoldens) checks.warn(GOLDENS_OWN, [], GOLDENS_OWN_SAID);
  if ([...judged, ...sums].some((key) => sources.has(key))) {
    const missing = judged.filter((name) => !sources.has(name));
    warnOfOthers(file, new Set([...used, ...(model.folded ?? [])]), checks, missing);
  } else if (checks.problems.length === 0) {
    const got = `got ${listed(file.arrays.keys(), 4) || 'nothing'}; rename the arrays, or say --map MINE=LAYER`;
    checks.problem(
      'nothing-to-compare',
      [],
      `expected a ${against === 'replay' ? 'replay' : 'captur'}ed layer (${listed(judged, 4)}), ${got}`,
    );
  }
  warnOfMixUps(model, capture, file, checks);
  await warnOfSigns(slots, sources, checks);
  warnOfHalves(slots, sources, checks);
  const samples = { count: capture.samples, because: 'as the capture has', fewer: whichSamples };
  const shapes = model.shapes && capture.shapes;
  const { values } = await readValues({ model, slots, sources, features, shapes, samples, refuseDtype }, checks);
  const producer = slots.has(PRODUCER) ? null : await readProducer(file, checks);
  const warnings = checks.finish();
  return { ...capture, path: file.path, bytes: file.bytes, values, producer, warnings };
}

/** Files that were handed in at each other's place, or one of them twice. */
function warnOfMixUps({ inputs }: Model, capture: Capture, file: ArrayFile, checks: Checks): void {
  if (resolve(file.path) === resolve(capture.path))
    checks.warn('same-file', [], 'it is the capture itself: no result of yours was compared');
  const names = inputs.map(({ name }) => name);
  if (names.length === 0 || !names.every((name) => file.arrays.has(name) && !capture.values.has(name))) return;
  const question = 'are capture and candidate exchanged?';
  checks.warn(
    'exchanged',
    [],
    `it holds what the model reads (${listed(names)}), and the capture does not: ${question}`,
  );
}

/** Codes of 8 bits are compared by value, of the other sign too: shifted by 128 none is equal, and the first sample shows it. */
async function warnOfSigns(
  slots: ReadonlyMap<string, Slot>,
  sources: ReadonlyMap<string, ArraySource>,
  checks: Checks,
): Promise<void> {
  for (const [stored, declared, where, fix] of [
    ['int8', 'uint8', 'below 0', 'less 128, add 128'],
    ['uint8', 'int8', 'above 127', 'plus 128, subtract 128'],
  ] as const) {
    let shifted = 0;
    for (const [key, source] of sources) {
      if (source.dtype !== stored || slots.get(key)?.params?.dtype !== declared) continue;
      const first = (await collecting([], () => source.read(0, Math.min(1, source.shape[0] ?? 1)))) ?? [];
      if (first.some((code) => code < 0 || code > 127)) shifted += 1;
    }
    if (shifted === 0) continue;
    const what = `${counted(shifted, 'array')} of ${stored} with codes ${where}, where the model's are ${declared}`;
    const bytes = `if they are its bytes, take .view(np.${declared})`;
    checks.warn('signedness', [], `${what}: if they are its codes ${fix} (as int16); ${bytes}`);
  }
}

/** What the capture has too has the capture's samples, of layers that are not replayed as well. */
function slotsBeside(model: Model, capture: Capture): Map<string, Slot> {
  const slots = [...slotsOf(model)].map(([key, slot]) => {
    return [key, { ...slot, counts: slot.counts || capture.values.has(key) }] as const;
  });
  return new Map(slots);
}

/** The arrays by the model's names. A mapped name also stands before `.input` and `.accumulator`. */
function renamed(
  slots: ReadonlyMap<string, Slot>,
  file: ArrayFile,
  names: ReadonlyMap<string, string>,
  checks: Checks,
): { sources: Map<string, ArraySource>; used: Set<string> } {
  const sources = new Map<string, ArraySource>();
  const used = new Set<string>();
  const mappedTo = new Set<string>();
  for (const [mine, value] of names) {
    const option = `(--map ${printable(mine)}=${printable(value)})`;
    const before = sources.size;
    for (const suffix of ['', '.input', '.accumulator']) {
      const source = file.arrays.get(mine + suffix);
      const key = value + suffix;
      if (!source || !slots.has(key)) continue;
      if (sources.has(key)) {
        checks.problem('map', [mine + suffix], `expected one array for ${printable(key)}, got two ${option}`);
      }
      sources.set(key, source);
      used.add(mine + suffix);
      mappedTo.add(key);
    }
    if (!slots.has(value)) {
      const known = listed(slots.keys(), 8);
      checks.problem('map', [], `expected a value of the model (${known}), got ${printable(value)} ${option}`);
    } else if (sources.size === before && !mappedTo.has(value)) {
      const got = `got ${listed(file.arrays.keys(), 8) || 'nothing'} ${option}`;
      checks.problem('map', [], `expected an array ${printable(mine)}, ${got}`);
    }
  }
  for (const [key, source] of file.arrays) {
    if (!slots.has(key) || used.has(key)) continue;
    if (mappedTo.has(key)) {
      const got = 'got this and a mapped one; rename one, or leave --map out';
      checks.problem('map', [key], `expected one array for ${printable(key)}, ${got}`);
    }
    sources.set(key, source);
    used.add(key);
  }
  return { sources, used };
}

/** Of results in float32 saved so, each comes out rounded. */
function warnOfHalves(
  slots: ReadonlyMap<string, Slot>,
  sources: ReadonlyMap<string, ArraySource>,
  checks: Checks,
): void {
  const halves = [...sources].filter(
    ([key, { dtype }]) => dtype === 'float16' && slots.get(key)?.params?.dtype === 'float32',
  );
  if (halves.length === 0) return;
  const names = listed(halves.map(([key]) => key));
  const message = `stored as float16, whose 11 bits differ from float32 by themselves: ${names}; where you compute in float32, save that`;
  checks.warn('float16', [], message);
}

/** Integers of any width are compared by value. */
function refuseDtype(stored: StoredDtype, declared: ValueParams['dtype']): string | null {
  if (declared === 'float32') {
    return stored.startsWith('float') ? null : `expected float32, got ${stored}; save .astype(np.float32)`;
  }
  return /^u?int/.test(stored) ? null : `expected integers, got ${stored}; save .astype(np.int32) of the codes`;
}
