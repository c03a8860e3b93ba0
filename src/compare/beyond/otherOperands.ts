/**
 * A layer that no cause explains may do what the file says on other operands than the file's. Each that fits is replayed in a sample,
 * and what gives that in all; what comes near does so with one cause more. Named where it gives every value.
 */
import type { Diagnosis } from '../../diagnose/diagnose.js';
import type { CauseCode, Evidence } from '../../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { FREEDOM } from '../../diagnose/setup.js';
import type { Work } from '../../diagnose/study/work.js';
import type { NumericArray } from '../../nouns/array.js';
import type { ValueReader } from '../../nouns/capture.js';
import { isProduct, type Model } from '../../nouns/model.js';
import type { DiagnosisReport } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { opByName } from '../../ops/named.js';
import type { LayerRun, ReplaySession } from '../../replay/session.js';
import { coordinatesOf, sizeOf } from '../../tensor/shape.js';
import { afterRelu } from '../alignment.js';
import { diffReplay, type Reading, type Samples } from '../candidate/readings.js';
import { type Difference, differingRows, inSamples } from '../differing.js';
import { isUnexplained, rectified } from '../layerReport.js';
import { named } from './named.js';
import { type Variant, variantsOf } from './operandVariants.js';

export interface AskedOfOperands extends Samples {
  readonly model: Model;
  readonly session: ReplaySession;
  readonly subject: 'candidate' | 'model';
  /** Of the layer as declared, on what it read. */
  readonly reading: Pick<Reading, 'run' | 'diff'>;
  readonly observed: ValueReader;
  readonly zeroPoint: number | null;
  /** Something explains it, though by a number: what needs none is believed first. */
  readonly isExplained: boolean;
  /** One that remembers nothing for other layers. */
  readonly diagnosis: () => Diagnosis;
  /** What all that is tried of a side takes. */
  readonly work: Work;
  readonly met: LayerDiagnosis | null;
}

/**
 * Values that differ by more than roundings do, not at a clamp, and how many numbers they are: fewer agree with one operand of hundreds
 * by chance, and a requantized copy of the operand is off by one, as another rounding is.
 */
const [LEAST, LEAST_NUMBERS] = [16, 4];
/** After the first sample alone: a sample by itself takes its layer's weights into the accelerator again. */
const VALUES_AT_ONCE = 2 ** 16;
/** Multiply-adds and values of all that are tried of a layer. */
const MOST_EFFORT = 5e8;
/** Of what is no product. */
const OF_VALUE = 8;
/** Nanoseconds, about: of what is made for each, of each input that is read, and of a value of the network that does not fit. */
const COST = { variant: 2e4, input: 2e3, name: 500, multiplyAdd: 1 };
/** How much nearer than the file's operands those have to be with which one cause more is looked for, and how many are. */
const [NEARER, NEAREST] = [4, 2];

/** Null: on no other operands does it give every value. */
export async function onOtherOperands(asked: AskedOfOperands): Promise<LayerDiagnosis | null> {
  const [witness] = asked.reading.diff.witnesses;
  if (!witness || !(await tellsEnough(asked))) return null;
  const { session, model, observed, reading, work } = asked;
  const { run } = reading;
  const { layer } = run.ready;
  if (!work.mayTryOthers(model.layers.length * layer.inputs.length * COST.name)) return null;
  // a state, which a run reads as well, is no operand that the file names
  const given = run.ready.inputs.map((params, i) => {
    return { reader: run.inputs[i], params, shape: run.ready.shapes.inputs[i] };
  });
  if (given.length === 0) return null;
  const glance = { ...asked, from: witness.sample, to: witness.sample + 1 };
  const [declared, wanted] = await Promise.all([valuesOf(glance, run), wantedOf(glance)]);
  const exact: Variant[] = [];
  const near: { variant: Variant; distance: number }[] = [];
  const away = distance(declared, wanted) / NEARER;
  const effort = effortOf(run);
  const took = COST.variant + given.length * COST.input + effort * COST.multiplyAdd;
  let left = mostTried(run, effort);
  for await (const variant of variantsOf({
    model,
    session,
    kernel: run.kernel,
    layer,
    given,
    features: observed.features,
  })) {
    if (left-- < 0 || !work.mayTryOthers(took)) break;
    if (asked.subject === 'model' && !isOfFile(variant)) continue;
    const other = await session.open(variant.layer, run.kernel, variant.given);
    const own = distance(await valuesOf(glance, other), wanted);
    if (own > away) continue;
    if ((await isEqual(glance, other, own)) && (await isEqual(asked, other, own))) exact.push(variant);
    else near.push({ variant, distance: own });
  }
  if (exact.length > 0) return found(asked, exact);
  if (asked.isExplained) return null;
  near.sort((a, b) => a.distance - b.distance);
  for (const { variant } of near.slice(0, NEAREST)) {
    const both = await withOneMore(asked, variant);
    if (both) return both;
  }
  return null;
}

/** What a file may have wrong: names and axes; how a runtime reads is no field of it. */
function isOfFile({ cause, evidence }: Variant): boolean {
  if (cause === 'operand-wrong') return evidence.found !== undefined && !evidence.codes;
  return cause === 'axis-wrong' && (evidence.inputs === undefined || evidence.order !== undefined);
}

/** Constant data, some values or such at a clamp are no proof of anything. */
export async function tellsEnough(asked: Pick<AskedOfOperands, 'reading' | 'observed' | 'from' | 'to' | 'zeroPoint'>) {
  const { observed, from, to, zeroPoint } = asked;
  const { run, diff } = asked.reading;
  const { output } = run.ready.layer;
  const [low, high, rounding] =
    output && isQuantized(output) ? [output.quantMin, output.quantMax, 1] : [-Infinity, Infinity, 0];
  if (diff.mismatched < LEAST || (rounding > 0 && diff.maxAbsReal <= rounding)) return false;
  const step = Math.max(1, Math.floor(VALUES_AT_ONCE / observed.features));
  const numbers = new Set<number>();
  let telling = 0;
  for (let first = from, last = from + 1; first < to; first = last, last = Math.min(to, last + step)) {
    const at = { from: first, to: last, observed, zeroPoint };
    const [own, wanted] = await Promise.all([valuesOf(at, run), wantedOf(at)]);
    for (let i = 0; i < wanted.length; i++) {
      const value = wanted[i];
      if (Math.abs(value - own[i]) <= rounding || value <= Math.max(low, zeroPoint ?? low) || value >= high) continue;
      telling++;
      numbers.add(value);
      if (telling >= LEAST && numbers.size >= LEAST_NUMBERS) return true;
    }
  }
  return false;
}

function effortOf({ ready: { layer, shapes } }: LayerRun): number {
  return Math.max(1, sizeOf(shapes.output.dims) * (isProduct(layer) ? layer.form.weight.inFeatures : OF_VALUE));
}

/** How many may be tried of a layer: of an attention over 2000 places each takes as long as of another layer of 30 million values. */
export function mostTried({ ready: { layer, shapes } }: Pick<LayerRun, 'ready'>, effort: number): number {
  const terms = (layer.form && opByName(layer.op)?.terms?.(shapes.inputs, layer.form)) ?? 0;
  return MOST_EFFORT / Math.max(effort, sizeOf(shapes.output.dims) * terms);
}

/** Floats inside their bound are equal without being the same. */
async function isEqual(asked: AskedOfOperands, run: LayerRun, distance: number): Promise<boolean> {
  return Number.isFinite(distance) && (await diffReplay(asked, run, asked.observed, asked.zeroPoint)).mismatched === 0;
}

type Glance = Pick<AskedOfOperands, 'from' | 'to' | 'zeroPoint'>;

export async function valuesOf({ from, to, zeroPoint }: Glance, run: LayerRun): Promise<NumericArray> {
  const { data } = await run.replay(from, to);
  return zeroPoint === null ? data : rectified(data, zeroPoint);
}

export async function wantedOf({ from, to, zeroPoint, observed }: Glance & Pick<AskedOfOperands, 'observed'>) {
  return afterRelu(observed, zeroPoint).read(from, to);
}

function distance(values: NumericArray, wanted: NumericArray): number {
  let sum = 0;
  for (let i = 0; i < wanted.length; i++) sum += Math.abs(values[i] - wanted[i]);
  return Number.isNaN(sum) ? Number.POSITIVE_INFINITY : sum;
}

// ---------------------------------------------------------------- what is said

function found(asked: AskedOfOperands, exact: readonly Variant[]): LayerDiagnosis {
  const { run, diff } = asked.reading;
  const { kernel } = run;
  const [first, ...others] = exact;
  const report = named({
    layer: run.ready.layer,
    subject: asked.subject,
    producer: asked.model.producer,
    declaredKernel: kernel.name,
    kernel: kernel.name,
    explainedBy: [kernel.name],
    causes: [first.cause],
    evidence: evidenceOf(asked, first, others),
    explained: diff.mismatched,
    of: diff.mismatched,
    hasFix: true,
    rehearsal: null,
  });
  const codes = [...new Set(others.map(({ cause }) => cause))].filter((cause) => cause !== first.cause);
  const indistinguishable = codes.map((cause) => ({ causes: [cause], kernel: null }));
  return { report: { ...report, indistinguishable }, byChannel: new Map(), changes: [] };
}

/** others: what gives every value as well, since the values are equal. */
function evidenceOf({ reading: { run, diff } }: AskedOfOperands, first: Variant, others: readonly Variant[]): Evidence {
  const { firstMismatch } = diff;
  const deciding = firstMismatch && {
    sample: firstMismatch.sample,
    channel: firstMismatch.channel,
    at: coordinatesOf(run.ready.shapes.output, firstMismatch.position),
    declared: firstMismatch.actual,
    observed: firstMismatch.expected,
  };
  const alike = others.filter(({ cause }) => cause === first.cause);
  const own = { ...first.evidence, ...(deciding && { deciding }) };
  return { [first.cause]: alike.length > 0 ? { ...own, or: alike.map(({ evidence }) => evidence) } : own } as Evidence;
}

/** It does so, and differs by one cause from the declared replay of that too. */
async function withOneMore(asked: AskedOfOperands, variant: Variant): Promise<LayerDiagnosis | null> {
  const { session, observed, zeroPoint, from, to, met } = asked;
  const { diff: declared, run: own } = asked.reading;
  const run = await session.open(variant.layer, own.kernel, variant.given);
  const diff = await diffReplay(asked, run, observed, zeroPoint);
  const judged: Difference = { run, input: run.input, observed, from, to, diff, afterRelu: zeroPoint !== null };
  const more = inSamples(await asked.diagnosis().layer({ ...differingRows(judged), met, single: true }), run);
  const { causes } = more.report;
  if (isUnexplained(more.report) || causes.length > 1 || !more.changes.every(isSure)) return null;
  const first = found(asked, [variant]);
  const report: DiagnosisReport = {
    ...first.report,
    causes: [variant.cause, ...causes],
    explained_by: more.report.explained_by,
    evidence: { ...first.report.evidence, ...withCounts(more.report.evidence, causes as CauseCode[], diff.mismatched) },
    explained: declared.mismatched,
    of: declared.mismatched,
  };
  return { report, byChannel: new Map(), changes: [] };
}

/** No number that other operands than these would take as well. */
function isSure({ freedom, cause }: LayerDiagnosis['changes'][number]): boolean {
  return freedom === FREEDOM.none && cause !== 'constant-values' && cause !== 'samples-misaligned';
}

/** How many values the cause takes beside the operand. */
function withCounts(evidence: Record<string, unknown>, causes: readonly CauseCode[], values: number) {
  return Object.fromEntries(
    Object.entries(evidence).map(([code, own]) => [
      code,
      causes.includes(code as CauseCode) ? { ...(own as object), values } : own,
    ]),
  );
}
