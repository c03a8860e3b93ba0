/** A candidate that says who computed it is a second capture: each layer of it is replayed as its own runtime computes it. */
import { fixed } from '../../diagnose/finding/fixed.js';
import { frameworkName } from '../../diagnose/finding/frameworks.js';
import { departureTo } from '../../kernels/departure.js';
import { stepsOf } from '../../kernels/kernel.js';
import { referenceFor } from '../../kernels/reference.js';
import { formsInWords } from '../../kernels/steps/tflite/words.js';
import type { Capture, ValueReader } from '../../nouns/capture.js';
import type { Fast, Kernel } from '../../nouns/kernel.js';
import type { Layer, Model, Producer } from '../../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import { blocks } from '../../replay/blocks.js';
import { type LayerRun, ReplaySession } from '../../replay/session.js';
import { printable } from '../../text.js';
import { computedBy } from '../../validate/producer.js';
import { statesOf, withStateOtherwise } from '../beyond/stateOtherwise.js';
import { diffReplay } from './readings.js';
import { settingsApart } from './settings.js';

export interface SecondCapture {
  readonly producer: Producer;
  /** On its own values, under its own kernel. */
  readonly session: ReplaySession;
  /** The same where another had computed them. */
  as(producer: Producer): ReplaySession;
}

/** Null: the candidate does not say who computed it. */
export function secondCapture(model: Model, candidate: Capture, values: Capture, fast: Fast): SecondCapture | null {
  const { kernel, framework } = candidate.producer ?? {};
  if (kernel === undefined && framework === undefined) return null;
  const theirs = computedBy(model, candidate);
  const reference = referenceFor(theirs.producer);
  const as = (producer: Producer) => new ReplaySession({ ...theirs, producer }, values, reference, 'isolated', fast);
  return { producer: theirs.producer, session: as(theirs.producer), as };
}

/** What a finding about two captures rests on; in the report under `two-captures`. */
export interface TwoCaptures {
  readonly capture: OneCapture;
  readonly candidate: OneCapture;
  /** Values of the layer that the forms make differ on the same input, of those that differ. */
  readonly values: number;
  /** Those that differ since the input does. */
  readonly inherited: number;
  readonly from: string;
}

interface OneCapture {
  readonly name: string;
  readonly kernel: string;
  readonly does: string | null;
}

export interface TwoSides {
  readonly model: Model;
  /** The first side's session on the second's values. */
  readonly ownSession: ReplaySession;
  readonly layer: Layer;
  readonly report: LayerReport;
  readonly observed: ValueReader;
  readonly expected: ValueReader;
  readonly zeroPoint: number | null;
  readonly from: number;
  readonly to: number;
  readonly fast: Fast;
  /** What the layer read that the candidate has; null: it cannot be replayed on that. */
  source(run: LayerRun | null): Promise<string>;
}

/** Who gives all of the candidate's values, and what that does otherwise. */
export interface SecondSide {
  readonly producer: Producer;
  readonly kernel: Kernel;
  readonly path: string | null;
  /** Against the first side's kernel; null: nothing is known of the one or the other. */
  forms(kernel: Kernel): Forms | null;
}

export interface Forms {
  readonly forms: readonly Form[];
  /** What gives all of it as well. */
  readonly or?: readonly Form[];
  /** How both come to compute alike, where it takes more than the same kernels. */
  readonly agree?: string;
}

export interface Form {
  readonly cause: string;
  readonly words: readonly [capture: string, candidate: string];
  readonly state?: 'kept' | 'anew';
}

/** Null: its own runtime does not give every value, or the first capture's does and both read the same. */
export async function asSecondCapture(asked: TwoSides & { second: SecondCapture }): Promise<DiagnosisReport | null> {
  const { second, layer, observed, zeroPoint } = asked;
  if (second.session.whyNotReplayed(layer)) return null;
  const { kernel, ...run } = await second.session.open(layer);
  if ((await diffReplay(asked, { kernel, ...run }, observed, zeroPoint)).mismatched > 0) return null;
  const forms = await formsOfBoth(asked, asked.ownSession.kernelOf(layer), kernel);
  return ofTwoSides(asked, { producer: second.producer, kernel, path: null, forms: () => forms });
}

/** What parts them: the kernels, what they do with a state, or both. Each is put into the other's place on the candidate's input. */
async function formsOfBoth(
  asked: TwoSides & { second: SecondCapture },
  first: Kernel,
  second: Kernel,
): Promise<Forms | null> {
  const { layer, ownSession, observed, zeroPoint } = asked;
  const kernelForms = await apart(asked, first, second);
  const states = statesOf(layer, [asked.model.producer, asked.second.producer]);
  const others = [first, second].map((kernel) => withStateOtherwise(kernel, layer));
  if (!states || !others[0] || !others[1] || ownSession.whyNotReplayed(layer)) {
    const settings = kernelForms.find(({ cause }) => cause === 'run-settings');
    const agree = settings && `run both as the first capture, which ${settings.words[0]}`;
    return kernelForms.length > 0 ? { forms: kernelForms, ...(agree && { agree }) } : null;
  }
  const ofState = await ownSession.open(layer, others[0]);
  const ofKernel = await asked.second.session.open(layer, others[1]);
  const isAll = async (run: LayerRun) => (await diffReplay(asked, run, observed, zeroPoint)).mismatched === 0;
  const [isState, isKernel] = [await isAll(ofState), await isAll(ofKernel)];
  const asState: ValueReader = {
    features: observed.features,
    read: async (from, to) => (await ofState.replay(from, to)).data,
  };
  const changes = (await diffReplay(asked, await ownSession.open(layer), asState, null)).mismatched > 0;
  const { words, state, agree } = states;
  const stateForm = { cause: 'state-between-calls', words, state };
  return {
    forms: isState ? [stateForm] : [...(isKernel ? [] : [stateForm]), ...kernelForms],
    ...(isState && isKernel && { or: kernelForms }),
    ...(changes && { agree }),
  };
}

/** Another kernel's steps, or the same steps run with other settings: what changes the second's values where the first's is put in its place. */
async function apart(
  asked: TwoSides & { second: SecondCapture },
  own: Kernel,
  other: Kernel,
): Promise<readonly Form[]> {
  const { second, model, layer, observed, zeroPoint } = asked;
  const form = formOf(own, other, layer);
  if (layer.onFloats) return form ? [form] : [];
  const changes = async (run: LayerRun) => (await diffReplay(asked, run, observed, zeroPoint)).mismatched > 0;
  const words = await settingsApart([model.producer, second.producer], async (producer) =>
    changes(await second.as(producer).open(layer, other)),
  );
  const isKernel = !words || (own !== other && (await changes(await second.session.open(layer, own))));
  return [...(isKernel && form ? [form] : []), ...(words ? [{ cause: 'run-settings', words }] : [])];
}

/** Of one layer under two kernels. */
export function formOf(first: Kernel, second: Kernel, layer: Layer, op = layer.op): Form | null {
  const [a, b] = [stepsOf(first, layer), stepsOf(second, { ...layer, op })];
  if (!a || !b) return null;
  // a defect parts them on whichever side it is
  const cause = departureTo(b, a, layer) === 'kernel-defect' ? 'kernel-defect' : departureTo(a, b, layer);
  return { cause, words: formsInWords(a, b) };
}

/** Null: the first side cannot be replayed on what the second read, or nothing differs. */
export async function ofTwoSides(asked: TwoSides, second: SecondSide): Promise<DiagnosisReport | null> {
  const { ownSession, layer } = asked;
  if (ownSession.whyNotReplayed(layer)) return null;
  const first = await ownSession.open(layer);
  const counts = await countsOf(asked, first);
  return twoSides(asked, second, first.kernel, { ...counts, source: await asked.source(first) });
}

/** Null: nothing differs. */
export function twoSides(
  asked: TwoSides,
  second: SecondSide,
  kernel: Kernel,
  counts: Counts & { source: string },
): DiagnosisReport | null {
  return counts.departing + counts.open + counts.inherited === 0 ? null : diagnosisOf(asked, second, kernel, counts);
}

export interface Counts {
  readonly departing: number;
  /** Both are what float32 leaves open of the second's input. */
  readonly open: number;
  readonly inherited: number;
  /** That would differ if the second computed as the first does. */
  readonly left: number;
}

/** Of the values that differ: those that the first runtime computes otherwise from the second's input, and the rest. */
async function countsOf({ observed, expected, from, to }: TwoSides, run: LayerRun): Promise<Counts> {
  let [departing, open, inherited, left] = [0, 0, 0, 0];
  for (const [start, end] of blocks(from, to, run.input.features + observed.features)) {
    const { data, low, high } = await run.replay(start, end);
    const [theirs, ours] = [await observed.read(start, end), await expected.read(start, end)];
    for (let i = 0; i < theirs.length; i++) {
      if (ours[i] !== data[i]) left++;
      if (theirs[i] === ours[i]) continue;
      const isGiven = (value: number) => (low && high ? value >= low[i] && value <= high[i] : value === data[i]);
      if (isGiven(theirs[i]) && low && isGiven(ours[i])) open++;
      else if (isGiven(theirs[i])) inherited++;
      else departing++;
    }
  }
  return { departing, open, inherited, left };
}

function diagnosisOf(
  asked: TwoSides,
  second: SecondSide,
  first: Kernel,
  counts: Counts & { source: string },
): DiagnosisReport {
  const { open, inherited, source } = counts;
  const departing = counts.departing + open;
  const { model, report } = asked;
  const forms = departing > 0 ? second.forms(first) : null;
  const one = (producer: Producer, kernel: string, side: 0 | 1) => {
    const does = forms?.forms.map(({ words }) => words[side]).join(', and ') ?? null;
    return { name: nameOf(producer), kernel, does };
  };
  const two: TwoCaptures = {
    capture: one(model.producer, first.name, 0),
    candidate: one(second.producer, second.kernel.name, 1),
    values: departing,
    inherited,
    from: source,
  };
  const causes = [...(inherited > 0 ? ['inherited'] : []), ...(forms?.forms ?? []).map(({ cause }) => cause)];
  return {
    causes,
    subject: 'candidate',
    kernel: second.kernel.name,
    explained: report.mismatched!,
    of: report.mismatched!,
    lost: 0,
    explained_by: [second.kernel.name],
    indistinguishable: (forms?.or ?? []).map(({ cause }) => ({ causes: [cause], kernel: second.kernel.name })),
    evidence: {
      ...(inherited > 0 ? { inherited: { from: source, values: inherited } } : {}),
      ...Object.fromEntries(
        (forms?.forms ?? []).map(({ cause, words: [declared, found], state }) => [
          cause,
          { values: departing, declared, found, ...(state && { state }) },
        ]),
      ),
      'two-captures': two,
    },
    ...fixed(forms ? fixesOf(asked, second, first, { ...counts, agree: forms.agree }) : []),
  };
}

/** Run as the other side was. */
function fixesOf(
  { model, report }: TwoSides,
  { path }: SecondSide,
  { runWith }: Kernel,
  { left, agree }: Counts & Pick<Forms, 'agree'>,
): DiagnosisReport['fixes'] {
  if (path !== null) {
    const text = `expect it: the files are not computed alike; what is to agree with ${printable(path)} to the bit, compare with its own capture`;
    return [{ subject: 'candidate', text, rehearsal: null }];
  }
  if (left >= report.mismatched!) return [];
  if (runWith === undefined)
    return agree ? [{ subject: 'candidate', text: agree, rehearsal: { mismatched_after_fix: left } }] : [];
  const text = `run both with what made the first capture, ${nameOf(model.producer)}: ${runWith}`;
  if (agree)
    return [{ subject: 'candidate', text: `${text}, and ${agree}`, rehearsal: { mismatched_after_fix: left } }];
  const [resolver] = /experimental_op_resolver_type=[\w.]+/.exec(runWith) ?? [];
  const line = `Interpreter(model_path=path, ${resolver}, experimental_preserve_all_tensors=True)`;
  const code = resolver ? [{ where: 'the capture', language: 'python' as const, text: line }] : undefined;
  return [{ subject: 'candidate', text, rehearsal: { mismatched_after_fix: left }, ...(code && { code }) }];
}

/** `LiteRT 2.3.0`. */
function nameOf({ framework, frameworkVersion }: Producer): string {
  return [frameworkName(framework) ?? 'a runtime', frameworkVersion].filter(Boolean).join(' ');
}
