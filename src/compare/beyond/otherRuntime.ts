/** A layer that no cause explains may be a runtime's own form of it: the runtimes that have one are asked for every value. */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { FREEDOM } from '../../diagnose/setup.js';
import { departureTo, equationOf } from '../../kernels/departure.js';
import { stepsOf } from '../../kernels/kernel.js';
import { runtimeKernels } from '../../kernels/registry.js';
import type { ValueReader } from '../../nouns/capture.js';
import type { Kernel } from '../../nouns/kernel.js';
import type { Layer, Producer } from '../../nouns/model.js';
import { blocks } from '../../replay/blocks.js';
import type { ReplaySession } from '../../replay/session.js';
import { isUnexplained } from '../layerReport.js';
import { named } from './named.js';
import { withStateOtherwise } from './stateOtherwise.js';

export interface Asked {
  readonly session: ReplaySession;
  readonly layer: Layer;
  readonly declared: Kernel;
  readonly producer: Producer;
  readonly observed: ValueReader;
  readonly from: number;
  readonly to: number;
  readonly mismatched: number;
  readonly subject: 'capture' | 'candidate';
}

/** Null: none gives every value. */
export async function otherRuntime(asked: Asked): Promise<LayerDiagnosis | null> {
  const equal = await equalTo(asked);
  return equal.length > 0 ? found(asked, equal) : null;
}

async function equalTo(asked: Asked): Promise<Kernel[]> {
  const { layer, declared, producer } = asked;
  const known = runtimeKernels(layer, producer).filter((kernel) => stepsOf(kernel, layer));
  const others = known.filter((kernel) => kernel !== declared);
  const equal = await givingAll(asked, others);
  if (equal.length > 0) return equal;
  return givingAll(
    asked,
    [declared, ...others].flatMap((kernel) => withStateOtherwise(kernel, layer, producer) ?? []),
  );
}

async function givingAll(asked: Asked, kernels: readonly Kernel[]): Promise<Kernel[]> {
  const equal: Kernel[] = [];
  for (const kernel of kernels) if (await givesAll(asked, kernel)) equal.push(kernel);
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
  const own = (await equalTo(asked)).map(({ name }) => name).filter((name) => name !== asked.declared.name);
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

function found(asked: Asked, equal: readonly Kernel[]): LayerDiagnosis {
  const { layer, declared, producer, mismatched, subject } = asked;
  const [own, other] = [stepsOf(declared, layer)!, stepsOf(equal[0], layer)!];
  const cause = departureTo(own, other, layer);
  const explainedBy = [...new Set(equal.map(({ name }) => name))];
  const kernel = explainedBy.find((name) => name !== declared.name) ?? explainedBy[0];
  const report = named({
    layer,
    subject,
    producer,
    declaredKernel: declared.name,
    kernel,
    explainedBy,
    cause,
    evidence: { [cause]: { declared: equationOf(own), found: equationOf(other) } },
    explained: mismatched,
    of: mismatched,
    hasFix: kernel !== declared.name || cause === 'state-between-calls',
    rehearsal: { mismatched_after_fix: 0 },
  });
  return { report, byChannel: new Map(), changes: [] };
}
