/** A layer whose calls threads share, each with a range of its own: the same arithmetic where more or fewer samples take one together. */

import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { tensorSteps } from '../../kernels/kernel.js';
import type { Kernel } from '../../nouns/kernel.js';
import { isTensor } from '../../nouns/model.js';
import { largestOf } from '../../numeric/extremes.js';
import type { LayerRun } from '../../replay/session.js';
import { counted } from '../../text.js';
import type { Asked } from './asked.js';
import { named } from './named.js';

/** Other ranges change nearly every value behind a first step; and a few are anyone's by chance. */
const FEWEST = 8;
const LEAST_SHARE = 1 / 4;
/** Of a machine; a range of each sample is of as many threads as a call has samples. */
const MOST_THREADS = 256;

interface Share {
  readonly kernel: Kernel;
  /** The numbers of threads that share the calls so. */
  readonly threads: readonly [least: number, most: number];
  /** Samples of the largest call that take a range together. */
  readonly samples: number;
}

/** How samples may share their ranges besides as declared, the most together first; a form each. */
function otherShares({ ready, kernel, inCalls: { ends, threads: declared } }: LayerRun): Share[] {
  const { layer, shapes } = ready;
  const steps = tensorSteps(kernel, layer);
  if (!steps?.shareOf || !isTensor(layer)) return [];
  const { form, op } = layer;
  const sizes = ends.map((end, i) => end - (ends[i - 1] ?? 0));
  const sharesOf = (threads: number) => sizes.map((size) => steps.shareOf!(form, size, shapes.inputs[0], threads));
  const most = Math.min(MOST_THREADS, largestOf(sharesOf(1)));
  const [own, found] = [sharesOf(declared).join(), new Map<string, Share>()];
  for (let threads = 1; threads <= most; threads++) {
    const shares = sharesOf(threads);
    const key = shares.join();
    if (key === own) continue;
    const run: typeof steps.run = (call) => steps.run({ ...call, threads });
    const as = { ...kernel, ops: { ...kernel.ops, [op]: { ...steps, run } } };
    const share = {
      kernel: as,
      samples: largestOf(shares),
      threads: [found.get(key)?.threads[0] ?? threads, threads] as const,
    };
    found.set(key, share);
  }
  return [...found.values()];
}

/** gives: whether a form gives every value. */
export async function byShares(
  asked: Asked,
  values: number,
  gives: (kernel: Kernel) => Promise<boolean>,
): Promise<LayerDiagnosis | null> {
  const { session, declared, layer, producer, mismatched, subject } = asked;
  if (mismatched < FEWEST || mismatched < values * LEAST_SHARE) return null;
  for (const { kernel, threads, samples } of otherShares(await session.open(layer, declared))) {
    if (!(await gives(kernel))) continue;
    const evidence = { declared: counted(producer.threads ?? 1, 'thread'), found: threadsText(threads), samples };
    const report = named({
      layer,
      subject,
      producer,
      declaredKernel: declared.name,
      kernel: declared.name,
      explainedBy: [declared.name],
      causes: ['run-settings'],
      evidence: { 'run-settings': evidence },
      explained: mismatched,
      of: mismatched,
      hasFix: true,
      rehearsal: { mismatched_after_fix: 0 },
    });
    return { report, byChannel: new Map(), changes: [] };
  }
  return null;
}

function threadsText([least, most]: readonly [number, number]): string {
  return least === most ? counted(least, 'thread') : `${least} to ${most} threads`;
}
