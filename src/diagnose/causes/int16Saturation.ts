import { isPaired, losingPairs, neonMlalInt16Wrap, type PairedAccumulateStep } from '../../kernels/steps/accumulate.js';
import type { AccumulateStep, Codes } from '../../types.js';
import type { Cause } from '../cause.js';
import { kernelSteps } from '../departures.js';
import type { At, SaturatingPair } from '../evidence.js';
import { FREEDOM, mapCodes, type Setup, withKernel } from '../setup.js';
import type { Study } from '../study.js';
import { countWhere } from './count.js';

/** u8*s8 products summed in adjacent pairs saturate at int16 (vpmaddubsw): x86 without VNNI. */
export const int16Saturation: Cause<'int16-saturation'> = {
  code: 'int16-saturation',

  changes: (study) =>
    kernelSteps(study, 'accumulate')
      .filter(isSaturating)
      .map((accumulate) => ({
        cause: 'int16-saturation',
        coordinate: 'accumulator',
        freedom: FREEDOM.none,
        label: accumulate.name,
        apply: (setup) => withKernel(setup, { accumulate }),
      })),

  evidence: ({ study, setup, without }) => {
    const step = setup.kernel.accumulate;
    if (!isSaturating(step) || study.data.dynamic) return {};
    const { samples, observed, x } = study.subset;
    const codes = mapCodes(x as Codes, setup.readX);
    const exact = study.replay(without);
    const saturated = study.replay(setup);
    let pair: (At & SaturatingPair) | undefined;
    let mismatchedWithPair = 0;
    for (let i = 0; i < observed.length; i++) {
      if (exact[i] === saturated[i]) continue;
      const channel = i % study.channels;
      const row = Math.floor(i / study.channels);
      const first = firstPair(step, codes, setup, row, channel);
      if (!first) continue;
      mismatchedWithPair++;
      pair ??= { sample: samples[row], channel, ...first };
    }
    return {
      ...(pair ? { pair } : {}),
      ...countPairs(study, step, setup, codes),
      mismatched_with_pair: mismatchedWithPair,
      activations_above_127: countWhere(codes.data, (code) => code > 127),
    };
  },
};

export function isSaturating(step: AccumulateStep): step is PairedAccumulateStep {
  return isPaired(step) && step !== neonMlalInt16Wrap;
}

/** Counting takes as long as accumulating: only where the layer is small enough to be in memory as a whole. */
export function countPairs(study: Study, step: PairedAccumulateStep, setup: Setup, codes: Codes) {
  const { inFeatures, outFeatures } = setup.linear;
  const total = codes.rows * outFeatures * Math.ceil(inFeatures / 2);
  if (!study.complete || total > MOST_PAIRS) return {};
  let saturating = 0;
  for (let row = 0; row < codes.rows; row++) {
    for (let channel = 0; channel < outFeatures; channel++) {
      for (const _ of losingPairs(step, codes, setup.linear, row, channel)) saturating++;
    }
  }
  return { saturating_pairs: saturating, total_pairs: total };
}

const MOST_PAIRS = 5e7;

function firstPair(
  step: PairedAccumulateStep,
  codes: Codes,
  setup: Setup,
  row: number,
  channel: number,
): SaturatingPair | null {
  const { inFeatures, weight } = setup.linear;
  const shift = step.codeShift(setup.linear);
  const lost = losingPairs(step, codes, setup.linear, row, channel).next().value;
  if (!lost) return null;
  const [a, b] = lost.k;
  const x = (k: number) => (k < 0 ? 0 : codes.data[row * codes.cols + k] + shift);
  const w = (k: number) => (k < 0 ? 0 : weight[channel * inFeatures + k]);
  return { k: [a, b], x: [x(a), x(b)], w: [w(a), w(b)], sum: lost.sum, saturated: lost.narrowed };
}
