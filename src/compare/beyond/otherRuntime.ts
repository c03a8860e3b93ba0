/** A layer that no cause explains may be a runtime's own form of it: the runtimes that have one are asked for every value. */
import type { CauseEvidence } from '../../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { FREEDOM } from '../../diagnose/setup.js';
import { departureTo, equationOf } from '../../kernels/departure.js';
import { stepsOf } from '../../kernels/kernel.js';
import { runtimeKernels, tensorKernels } from '../../kernels/registry.js';
import type { Kernel } from '../../nouns/kernel.js';
import { keepsState, takesWholeCalls } from '../../nouns/model.js';
import { blocks } from '../../replay/blocks.js';
import { isUnexplained } from '../layerReport.js';
import type { Asked } from './asked.js';
import { named } from './named.js';
import { byShares } from './sharesOtherwise.js';
import { stateEvidence, withStateOtherwise } from './stateOtherwise.js';

/** Who gives every value. */
interface Equal {
  /** Other runtimes, the state as the producer says. */
  readonly plain: readonly Kernel[];
  /** Those that give it with the state otherwise, the declared one first. */
  readonly otherwise: readonly Kernel[];
}

/** Null: none gives every value. */
export async function otherRuntime(asked: Asked): Promise<LayerDiagnosis | null> {
  const { layer, declared } = asked;
  const others = othersOf(asked);
  const plain = await givingAll(asked, others);
  const own = await givingAll(asked, [declared], (kernel) => withStateOtherwise(kernel, layer));
  // two departures where one is enough are no finding
  const isOne = own.length > 0 || plain.length === 0;
  const more = isOne ? await givingAll(asked, others, (kernel) => withStateOtherwise(kernel, layer)) : [];
  const otherwise = [...own, ...more];
  if (plain.length + otherwise.length > 0) return found(asked, { plain, otherwise });
  const { observed, from, to } = asked;
  return byShares(asked, (to - from) * observed.features, (kernel) => givesAll(asked, kernel));
}

/** Releases of TFLite's for a layer of its file; of another file, where no sample stands alone, every kernel. */
function othersOf({ layer, declared, producer }: Asked): Kernel[] {
  const known =
    takesWholeCalls(layer) && !layer.delegates
      ? tensorKernels(layer, declared).map(({ kernel }) => kernel)
      : runtimeKernels(layer, producer);
  return known.filter((kernel) => kernel !== declared && stepsOf(kernel, layer));
}

/** as: each in another form; null: it has none. */
async function givingAll(
  asked: Asked,
  kernels: readonly Kernel[],
  as: (kernel: Kernel) => Kernel | null = (kernel) => kernel,
): Promise<Kernel[]> {
  const equal: Kernel[] = [];
  for (const kernel of kernels) {
    const form = as(kernel);
    if (form && (await givesAll(asked, form))) equal.push(kernel);
  }
  return equal;
}

/** Whether a finding rests on numbers that the data were asked for, or on one of many that are seldom met: a runtime's own form needs none. */
export function restsOnNumbers({ report, changes }: LayerDiagnosis): boolean {
  return isUnexplained(report) || changes.some(({ freedom, rare }) => freedom !== FREEDOM.none || rare);
}

/** A finding of the search, with the runtimes that give every value too. */
export async function withRuntimes(asked: Asked, searched: LayerDiagnosis): Promise<LayerDiagnosis> {
  const { report } = searched;
  if (isUnexplained(report) || report.subject === 'model') return searched;
  const plain = await givingAll(asked, othersOf(asked));
  const own = plain.map(({ name }) => name).filter((name) => name !== asked.declared.name);
  const explained_by = [...new Set([...report.explained_by, ...own])];
  return { ...searched, report: { ...report, explained_by, kernel: report.kernel ?? own[0] ?? null } };
}

async function givesAll({ session, layer, observed, from, to }: Asked, kernel: Kernel): Promise<boolean> {
  if (session.whyNotUnder(kernel, layer) !== null) return false;
  const run = await session.open(layer, kernel);
  for (const [start, end] of blocks(from, to, run.input.features + observed.features)) {
    const [{ data, low, high }, wanted] = [await run.replay(start, end), await observed.read(start, end)];
    const differs = wanted.some((value: number, i: number) =>
      low && high ? value < low[i] || value > high[i] : !Object.is(value + 0, data[i] + 0),
    );
    if (differs) return false;
  }
  return true;
}

function found(asked: Asked, { plain, otherwise }: Equal): LayerDiagnosis {
  const { layer, declared, producer, mismatched, subject } = asked;
  const hasState = otherwise.length > 0;
  const equal = hasState ? otherwise : plain;
  const isOther = !equal.includes(declared);
  const causes = [
    ...(hasState ? (['state-between-calls'] as const) : []),
    ...(isOther ? [departureOf(asked, equal[0])] : []),
  ];
  const explainedBy = [...new Set(equal.map(({ name }) => name))];
  const kernel = isOther ? (explainedBy.find((name) => name !== declared.name) ?? explainedBy[0]) : declared.name;
  const report = named({
    layer,
    subject,
    producer,
    declaredKernel: declared.name,
    kernel,
    explainedBy,
    causes,
    evidence: {
      ...(hasState && { 'state-between-calls': stateEvidence(producer) }),
      ...(isOther && departureEvidence(asked, equal[0])),
    },
    explained: mismatched,
    of: mismatched,
    dynamic: !keepsState(layer) && takesWholeCalls(layer),
    hasFix: kernel !== declared.name || hasState,
    rehearsal: { mismatched_after_fix: 0 },
  });
  const indistinguishable = hasState
    ? plain.map((one) => ({ causes: [departureOf(asked, one)], kernel: one.name }))
    : [];
  return { report: { ...report, indistinguishable: distinct(indistinguishable) }, byChannel: new Map(), changes: [] };
}

function departureOf({ declared, layer }: Asked, kernel: Kernel) {
  return departureTo(stepsOf(declared, layer)!, stepsOf(kernel, layer)!, layer);
}

function departureEvidence(asked: Asked, kernel: Kernel): Partial<CauseEvidence> {
  const cause = departureOf(asked, kernel);
  if (cause === 'int16-saturation') return { [cause]: kernel.sums === 'exact' ? { exact: true } : {} };
  const { declared, layer } = asked;
  return { [cause]: { declared: equationOf(stepsOf(declared, layer)!), found: equationOf(stepsOf(kernel, layer)!) } };
}

function distinct<T>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}
