import type { Checks } from '../documents/checks.js';
import type { ArrayFile } from '../nouns/array.js';
import type { Layer, Model } from '../nouns/model.js';
import type { Problem } from '../nouns/problem.js';
import { ops } from '../ops/registry.js';
import { listed, printable } from '../text.js';
import { PRODUCER } from './producer.js';
import { BATCH_SIZES, isReplayed } from './values.js';

/**
 * What a capture is for, and so what it has to hold. `replay`: the output (or accumulators) of a replayed layer, and an input to
 * replay it from. `values`: any layer's, to set a candidate's beside. `inputs`: an input to replay a layer from.
 */
export type CaptureUse = 'replay' | 'values' | 'inputs';

/** Whether something is there to work with; otherwise a problem says what was expected. captured: names of its arrays. */
export function checkComparable(
  model: Model,
  captured: ReadonlySet<string>,
  file: ArrayFile,
  use: CaptureUse,
  checks: Checks,
): boolean {
  const refused = reasonAgainst(model, captured, file, use);
  if (refused === null) return true;
  if (typeof refused !== 'string') checks.problems.push(refused);
  else {
    const fix = use === 'values' ? '; --against replay needs the inputs only' : '';
    checks.problem(
      'nothing-to-compare',
      [],
      `expected ${refused}, got ${listed(file.arrays.keys()) || 'nothing'}${fix}`,
    );
  }
  return false;
}

/** What was expected of the capture, or a problem of the model. */
function reasonAgainst(
  model: Model,
  captured: ReadonlySet<string>,
  file: ArrayFile,
  use: CaptureUse,
): string | Problem | null {
  const { layers } = model;
  const replayed = layers.filter(isReplayed);
  const present = (use === 'values' ? layers : replayed).filter(({ name }) => isCaptured(name, captured));
  if (use === 'values' && present.length > 0) return null;
  if (use === 'values') return `the output of a layer (${listed(layers.map(({ name }) => name))})`;
  if (replayed.length === 0) return noneReplayed(model);
  if (use === 'replay' && present.length === 0) {
    const expected = `the output of a replayed layer (${listed(replayed.map(({ name }) => name))})`;
    const names = new Set<string>([...model.inputs.map(({ name }) => name), BATCH_SIZES, PRODUCER]);
    return captured.size > 0 && [...file.arrays.keys()].every((key) => names.has(key))
      ? onlyInputs(model, file, expected)
      : expected;
  }
  const wanted = use === 'inputs' ? replayed : present;
  if (wanted.some((layer) => canBeReplayed(layer, model, captured))) return null;
  const { name, inputs } = wanted.find((layer) => layer.inputs.length > 0) ?? wanted[0]; // a state is read from nothing
  const own = [...inputs.filter(givenTo(model)).slice(0, 1), `${name}.input`].map(printable).join(' or ');
  const which = use === 'inputs' ? 'a replayed' : 'a captured';
  return `the input of ${which} layer (${own} for ${printable(name)})`;
}

/** What to run is said, rather than what is in the file. */
function onlyInputs(model: Model, file: ArrayFile, expected: string): Problem {
  const { file: isFile, framework } = model.producer;
  const ofPyTorch =
    framework === 'pytorch'
      ? 'capture the rest where the model runs: qdiff exporter pytorch'
      : "what the model gave goes into it under the layers' names";
  const how = isFile ? `qdiff run ${printable(model.path)} ${printable(file.path)} captures the rest` : ofPyTorch;
  const message = `expected ${expected}, got only inputs (${listed(file.arrays.keys())}); ${how}`;
  return { kind: 'only-inputs', where: printable(file.path), message };
}

/** Its output, or what it summed. */
function isCaptured(layer: string, captured: ReadonlySet<string>): boolean {
  return captured.has(layer) || captured.has(`${layer}.accumulator`);
}

/** From its own input, or through layers before it. */
function canBeReplayed(layer: Layer, model: Model, captured: ReadonlySet<string>): boolean {
  const byName = new Map(model.layers.map((one) => [one.name, one]));
  const given = givenTo(model);
  let at: Layer | undefined = layer;
  while (at && isReplayed(at)) {
    const input: string = at.inputs.find(given) ?? '';
    const own = `${at.name}.input`;
    if (captured.has(input) || (captured.has(own) && !byName.has(own))) return true;
    at = byName.get(input);
  }
  return false;
}

/** What the model does not hold itself: of `1 - x` the second. */
function givenTo({ constants = [] }: Model): (input: string) => boolean {
  const known = new Set(constants.map(({ name }) => name));
  return (input) => !known.has(input);
}

function noneReplayed({ path, layers }: Model): Problem {
  const because = layers.find(({ notReplayed }) => notReplayed !== undefined);
  const known = because ? '' : ` (${ops.map(({ name }) => name).join(', ')})`;
  const got = because
    ? `none of ${layers.length}: ${printable(because.name)}: ${because.notReplayed}`
    : listed(new Set(layers.map(({ op }) => op)));
  const message = `expected a layer that is replayed${known}, got ${got}; --candidate compares such values with another capture's`;
  return { kind: 'nothing-to-replay', where: `${printable(path)} layers`, message };
}
