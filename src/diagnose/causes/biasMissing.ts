import type { Product } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { float32s } from '../../numeric/array.js';
import { furthestOf } from '../../numeric/extremes.js';
import { FEWEST_OF_RULE, ofTwoNumbers } from '../alternatives/biases/biasRules.js';
import type { Cause } from '../cause.js';
import { mayRestOnEnough, mostAreEmpty, repairChannels, restsOnEnough } from '../estimate/perChannel.js';
import { scalesBesideOffsets } from '../estimate/scaleBesideOffsets.js';
import { viewOf } from '../estimate/view.js';
import type { FoundParameter, SomeChannels } from '../finding/evidence.js';
import { floatProductOf, isFloatProduct } from '../orders/floatOrders.js';
import { differsInMore } from '../search/atOnce.js';
import {
  type Change,
  FREEDOM,
  type ProductChange,
  type ProductSetup,
  type SetupOf,
  type TensorChange,
  withParams,
} from '../setup.js';
import { isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import { addedBias, codeOf, exportAgain, numpy } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { fileOf, foundSentences, number } from '../words/parts.js';
import { biasIntervals } from './biasShifted.js';
import { scaleShifted } from './scaleShifted.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'bias-missing': SomeChannels & {
      /** Largest bias in steps of the output: how far its channel is off. */
      readonly max_bias_steps?: number;
      readonly channel?: number;
      /** Where the file has none: one estimated bias a channel, real units. */
      readonly found?: readonly FoundParameter[];
      readonly omitted?: number;
      /** It is added to sums of floats. */
      readonly floats?: true;
    };
  }
}

const MOST_LISTED = 8;

/** No bias where the file has one; or a file without the bias that PyTorch used (estimated, one number a channel). */
export const biasMissing: Cause<'bias-missing', Kinds> = {
  code: 'bias-missing',
  kinds: ['product', 'tensor'],
  needs: [(study) => !isTensorStudy(study) || isFloatProduct(study)],
  whose: 'model',

  changes: (study): Own[] => {
    if (isTensorStudy(study as Study)) return ofFloats(study as TensorStudy) as Own[];
    const { declared } = study as ProductStudy;
    return hasBias(declared.params)
      ? ([
          {
            cause: 'bias-missing',
            coordinate: 'bias',
            freedom: FREEDOM.none,
            label: 'none',
            apply: (setup: ProductSetup) => withParams(setup, { bias: null, biasInt32: null, biasInt64: undefined }),
          },
        ] as Own[])
      : [];
  },

  afterSums: true,
  estimate: (study, base) => {
    if (isTensorStudy(study as Study)) return [];
    const [own, on] = [study as ProductStudy, base as ProductSetup];
    return [
      ...missingInSome(own, on),
      ...(own.data.side === 'capture' && hasZeros(on.params) ? estimated(own, on) : []),
    ] as Own[];
  },

  // free biases hide a scale of all sums, and an order of the scales
  lastly: (given) => {
    if (isTensorStudy(given as Study)) return [];
    const study = given as ProductStudy;
    if (study.data.side !== 'capture' || !hasZeros(study.declared.params)) return [];
    const firsts = [...scalesBesideOffsets(study), ...(scaleShifted.forms?.(study) ?? [])];
    return firsts.flatMap((first) =>
      estimated(study, first.apply(study.declared)).map((change) => [first, change] as Own[]),
    );
  },

  evidence: ({ study, change }) => {
    if (change.found) return {};
    const { bias, output } = (study as ProductStudy).declared.params;
    if (!bias) return {};
    const channel = furthestOf(bias);
    return isQuantized(output) ? { channel, max_bias_steps: Math.abs(bias[channel]) / output.scale } : { channel };
  },

  words: {
    title: 'bias missing',
    explanation: 'One side adds a bias that the other leaves out.',
    ofOneLayer: true,
    evidence: (e) => [
      ...foundSentences('bias', e.found, e.omitted),
      number(
        e.max_bias_steps,
        (n) => `the bias is worth up to ${n} steps${e.channel === undefined ? '' : ` (channel ${e.channel})`}`,
      ),
    ],
    fix: (e, context) =>
      parameterFix(
        (own) => `write ${field(own, 'bias')} into ${fileOf(own)}: the capture was computed with one`,
        e.floats
          ? 'add the bias'
          : context.dynamic
            ? 'add the bias: acc * s_x * s_w + bias'
            : 'add the bias: acc + bias / (s_x * s_w)',
      )(e, context),
    code: (e, context) => codeOf(e.floats ? [numpy('y += bias')] : addedBias(context), exportAgain)(context),
  },
};

type Kinds = 'product' | 'tensor';
type Own = Change<SetupOf<Kinds>>;

function ofFloats(study: TensorStudy): TensorChange[] {
  const own = floatProductOf(study);
  if (!own?.bias?.some((b) => b !== 0)) return [];
  return [
    {
      cause: 'bias-missing',
      coordinate: 'bias',
      freedom: FREEDOM.none,
      label: 'none',
      found: { floats: true },
      apply: (setup) => withParams(setup, { attributes: { ...own, bias: null } }),
    },
  ];
}

function hasBias({ bias, biasInt32, biasInt64 }: Pick<Product, 'bias' | 'biasInt32' | 'biasInt64'>): boolean {
  return (biasInt64 ?? bias ?? biasInt32)?.some((b) => b !== 0) ?? false;
}

function hasZeros({ bias, biasInt32 }: Pick<Product, 'bias' | 'biasInt32'>): boolean {
  const values = bias ?? biasInt32;
  return values === null || values.some((b) => b === 0);
}

/** Some channels' biases are not added: those that differ, where leaving it out makes them exact. */
function missingInSome(study: ProductStudy, base: ProductSetup): ProductChange[] {
  if (!hasBias(base.params)) return [];
  if ([study.sketch, study.subset].some((scope) => differsInMore(study, base, scope, study.channels - 1))) return [];
  const before = study.mismatchesByChannel(base);
  const differing = new Set([...before.keys()].filter((n) => before[n] > 0));
  if (differing.size === 0 || differing.size === study.channels) return [];
  const without = (channels: ReadonlySet<number>) => {
    const zeroed = <A extends Float32Array | Int32Array>(values: A | null) =>
      values && (values.map((b, n) => (channels.has(n) ? 0 : b)) as A);
    return withParams(base, { bias: zeroed(base.params.bias), biasInt32: zeroed(base.params.biasInt32) }).params;
  };
  const after = study.mismatchesByChannel({ ...base, params: without(differing) });
  const missing = new Set([...differing].filter((n) => after[n] === 0));
  if (missing.size === 0) return [];
  const { bias, biasInt32 } = without(missing);
  return [
    {
      cause: 'bias-missing',
      coordinate: 'bias_values',
      freedom: FREEDOM.none,
      label: [...missing].join(','),
      channels: [...missing],
      apply: (setup) => withParams(setup, { bias, biasInt32 }),
    },
  ];
}

function estimated(study: ProductStudy, base: ProductSetup): ProductChange[] {
  if ((base.params.biasInt32 && hasBias(base.params)) || !mayRestOnEnough(study)) return [];
  if (mostAreEmpty(biasIntervals(viewOf(study, base, study.sketch)))) return [];
  const view = viewOf(study, base);
  const steps = biasIntervals(view);
  // zero points of both sides move all channels by two numbers
  if (!hasBias(base.params) && study.channels >= FEWEST_OF_RULE && ofTwoNumbers(study, view, steps, 0)) return [];
  // where the file has a bias it stays
  const declared = view.biasSteps.map((b) => b);
  const free = steps.map((interval, n) => (declared[n] === 0 ? interval : { lo: 1, hi: 0 }));
  const toReal = (values: Float64Array) =>
    float32s(values, (v, n) => (declared[n] !== 0 && base.params.bias ? base.params.bias[n] : v * view.step));
  const apply = (values: Float64Array) => withParams(base, { bias: toReal(values), biasInt32: null });
  const found = repairChannels(study, base, { intervals: free, declared, apply, slope: () => 1 });
  if (!found || !restsOnEnough(study, found.channels)) return [];
  const bias = toReal(found.values);
  const list: FoundParameter[] = found.channels
    .map((channel) => ({ channel, declared: 0, found: bias[channel] }))
    .sort((a, b) => Math.abs(b.found) - Math.abs(a.found));
  return [
    {
      cause: 'bias-missing',
      coordinate: 'bias_values',
      freedom: found.channels.length === 1 ? FREEDOM.oneNumber : FREEDOM.numberPerChannel,
      label: 'estimated',
      channels: found.channels,
      found: {
        max_bias_steps: Math.abs(found.values[list[0].channel!]),
        channel: list[0].channel,
        found: list.slice(0, MOST_LISTED),
        omitted: Math.max(0, list.length - MOST_LISTED),
      },
      apply: (setup) => withParams(setup, { bias, biasInt32: null }),
    },
  ];
}
