/** A value of another model, computed by that model's own layers, and what these do otherwise than the model's. */

import type { Capture } from '../../nouns/capture.js';
import type { Kernel } from '../../nouns/kernel.js';
import type { Layer, Model } from '../../nouns/model.js';
import type { DiagnosisReport } from '../../nouns/report.js';
import { blocks } from '../../replay/blocks.js';
import type { LayerRun } from '../../replay/session.js';
import { diffReplay } from '../candidate/readings.js';
import { type Counts, type Form, formOf, ofTwoSides, type TwoSides, twoSides } from '../candidate/secondCapture.js';
import type { OwnComparison } from '../comparison.js';
import type { CandidateModel } from './beside.js';
import type { LayerPair } from './match.js';
import { roundings, type Same, type Stage, stepsText } from './stages.js';

/** The layers whose doing is first seen in a value; absent: it is seen before, or none of the other's is known to be it. */
export function firstSeenIn(pairs: readonly LayerPair[], value: Layer): LayerPair | undefined {
  return pairs.find(({ same: [first] }) => first?.[0].layer === value);
}

/** The other file's layer, where it and those that it is a step behind give the candidate's values on their own input; else null. */
export async function runOfOwnFile(comparison: OwnComparison, layer: Layer): Promise<LayerRun | null> {
  const { options } = comparison;
  const session = comparison.beside?.own;
  const beside = options.candidateModel;
  const same = beside && sameOf(beside, layer);
  if (!session || !same) return null;
  let run: LayerRun | null = null;
  for (const step of same[1].path) {
    const value = beside.values.values.get(step.name);
    if (session.whyNotReplayed(step)) return null;
    run = await session.open(step);
    if (value && (await diffReplay(comparison, run, value, null)).mismatched > 0) return null;
  }
  return run;
}

function sameOf({ pairs, read }: CandidateModel, layer: Layer): Same | undefined {
  const all = [...pairs.flatMap(({ same }) => same), ...read];
  return firstSeenIn(pairs, layer)?.same[0] ?? all.find(([own]) => own.layer === layer);
}

/** Both files give their values: what the other does otherwise; null: it does not, or nothing is known of it. */
export async function asOwnFile(comparison: OwnComparison, asked: TwoSides): Promise<DiagnosisReport | null> {
  const beside = comparison.options.candidateModel;
  const same = beside && sameOf(beside, asked.layer);
  const run = await runOfOwnFile(comparison, asked.layer);
  if (!beside || !same || !run) return null;
  const paths = [
    sinceKnown(comparison.model, same[0], comparison.candidate),
    sinceKnown(beside.model, same[1], beside.captured),
  ] as const;
  const forms = (kernel: Kernel) => {
    const form = formOfSteps(paths, kernel, run.kernel);
    return form && { forms: [form] };
  };
  const second = { producer: beside.model.producer, kernel: run.kernel, path: beside.path, forms };
  const found = await ofTwoSides(asked, second);
  if (found) return found;
  const counts = await countsOnCaptured(comparison, same);
  if (!counts) return null;
  return twoSides(asked, second, comparison.session.kernelOf(asked.layer), {
    ...counts,
    source: await asked.source(null),
  });
}

/** Where the model's own steps are known within a bound only: what the other's make of the captured values. */
async function countsOnCaptured({ beside, options, from, to }: OwnComparison, [, other]: Same): Promise<Counts | null> {
  const { values, captured } = options.candidateModel!;
  const [theirs, ours] = [values, captured].map((side) => side.values.get(other.layer.name));
  if (!beside || !theirs || !ours || beside.onCaptured.whyNotReplayed(other.layer)) return null;
  const run = await beside.onCaptured.open(other.layer);
  let [departing, inherited] = [0, 0];
  for (const [start, end] of blocks(from, to, run.input.features + ours.features)) {
    const { data } = await run.replay(start, end);
    const [there, here] = [await theirs.read(start, end), await ours.read(start, end)];
    for (let i = 0; i < here.length; i++) {
      if (there[i] === here[i]) continue;
      if (data[i] === here[i]) inherited++;
      else departing++;
    }
  }
  return { departing, open: 0, inherited, left: inherited };
}

type Path = readonly Layer[];

/** The layers from the last value that the other side has too. */
function sinceKnown({ layers }: Model, { path }: Stage, { values }: Capture): Path {
  const made = new Map(layers.map((layer) => [layer.name, layer]));
  const whole = [...path];
  for (let [name] = path[0].inputs; !values.has(name); [name] = whole[0].inputs) {
    const before = made.get(name);
    if (!before) break;
    whole.unshift(before);
  }
  return whole;
}

function formOfSteps([own, other]: readonly [Path, Path], kernel: Kernel, otherKernel: Kernel): Form | null {
  if (own.length === 1 && other.length === 1) return formOf(kernel, otherKernel, own[0], other[0].op);
  const cause = roundings(own) === roundings(other) ? 'float-arithmetic' : 'steps-fused';
  return { cause, words: [`computes ${stepsText(own)}`, `computes ${stepsText(other)}`] };
}
