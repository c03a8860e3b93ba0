/** A layer's values in another order, and something else wrong with them: both are said. */
import type { Evidence } from '../../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { type Fix, fixed } from '../../diagnose/finding/fixed.js';
import { FREEDOM } from '../../diagnose/setup.js';
import type { LayerReport } from '../../nouns/report.js';
import type { Layout } from '../beyond/layouts.js';
import { named } from '../beyond/named.js';
import type { OwnComparison } from '../comparison.js';
import { isUnexplained } from '../layerReport.js';
import { type BothValues, diffReplay, type Reading } from './readings.js';
import { likeliestOrder, putBack } from './storedOrders.js';

/** What is found of the values where they are put back. */
export interface InOrder {
  readonly order: Layout;
  readonly values: BothValues;
  /** As the values stand, and where they are put back. */
  readonly stored: Reading;
  readonly reading: Reading;
  readonly found: LayerDiagnosis;
}

type Diagnose = (values: BothValues, reading: Reading) => Promise<LayerDiagnosis>;

/** Null: in no order that is much more like a replay anything explains them. The first reading is the likeliest. */
export async function inOtherOrder(
  comparison: OwnComparison,
  readings: readonly Reading[],
  values: BothValues,
  diagnose: Diagnose,
): Promise<InOrder | null> {
  const { work } = comparison.diagnosis;
  for (const stored of readings) {
    const { run } = stored;
    const read = async (from: number, to: number) => (await run.replay(from, to)).data;
    const replayed = { features: values.observed.features, read };
    const { order } = await likeliestOrder(run.ready.shapes.output, values.observed, replayed, comparison);
    if (!order) continue;
    const back = { ...values, observed: putBack(values.observed, order) };
    const diff = await diffReplay(comparison, run, back.observed, back.zeroPoint);
    if (diff.mismatched === 0) return null; // right values
    const reading = { ...stored, diff };
    const inVain = work.setAside();
    const found = await diagnose(back, reading);
    work.spend(inVain);
    if (!isUnexplained(found.report) && found.changes.every(isSure))
      return { order, values: back, stored, reading, found };
  }
  return null;
}

/** No list of numbers that other places would take as well. */
export function isSure({ freedom, cause }: LayerDiagnosis['changes'][number]): boolean {
  return freedom <= FREEDOM.oneNumber && cause !== 'constant-values' && cause !== 'samples-misaligned';
}

/** What was found of the values where they are put back, and where they stand: that is the first to be mended. */
export function withOrder(
  comparison: OwnComparison,
  report: LayerReport,
  { order: { order, rule, numpy }, reading }: InOrder,
  found: LayerDiagnosis,
): LayerDiagnosis {
  const { output } = reading.run.ready.shapes;
  const evidence = {
    order,
    rule,
    numpy,
    dims: [...output.dims],
    channel_axis: output.channelAxis,
    beside: true as const,
  };
  return writtenAs(comparison, report, { 'output-order': evidence }, reading, found);
}

/** How the values are written beside what is found of them where they are read back: neither helps without the other. */
export function writtenAs(
  { model }: OwnComparison,
  report: LayerReport,
  evidence: Pick<Evidence, 'output-order' | 'signedness'>,
  { run, diff }: Reading,
  found: LayerDiagnosis,
): LayerDiagnosis {
  const { name: kernel } = run.kernel;
  const written = named({
    layer: run.ready.layer,
    subject: 'candidate',
    producer: model.producer,
    declaredKernel: kernel,
    kernel,
    explainedBy: [kernel],
    causes: Object.keys(evidence) as (keyof typeof evidence)[],
    evidence,
    explained: report.mismatched!,
    of: report.mismatched!,
    hasFix: true,
    rehearsal: null,
  });
  const own = found.report;
  const causesOf = (channel: number) => (diff.differing[channel] ? (found.byChannel.get(channel) ?? own.causes) : []);
  const channels = (report.channels ?? []).map(({ channel }) => channel);
  return {
    ...found,
    report: {
      ...own,
      causes: [...written.causes, ...own.causes],
      evidence: { ...written.evidence, ...own.evidence },
      ...fixed(joined(written.fixes[0], own.fixes)),
    },
    byChannel: new Map(channels.map((channel) => [channel, [...written.causes, ...causesOf(channel)]])),
  };
}

function joined(written: Fix, [first, ...others]: readonly Fix[]): Fix[] {
  if (!first) return [written];
  const code = [...(written.code ?? []), ...(first.code ?? [])];
  return [{ ...first, text: `${written.text}. Also: ${first.text}`, code }, ...others];
}
