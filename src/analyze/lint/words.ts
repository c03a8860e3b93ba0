/** Everything lint says in words. The findings are data (`evidence.ts`); this is the only prose. */
import { kernelNamed } from '../../kernels/named.js';
import type { LintCode, LintFacts } from './evidence.js';
import type { WorstPair } from './pairs.js';
import { largestMagnitude } from './range.js';
import type { Found } from './rule.js';

type Text<C extends LintCode> = string | ((found: Found<C>) => string);

interface Words<C extends LintCode> {
  /** What is wrong, with the numbers. */
  readonly message: Text<C>;
  /** What to change. */
  readonly fix: Text<C>;
}

const REDUCE_RANGE = 'give the activation observer reduce_range=True (costs 1 bit of the activation, about 6 dB)';
const WITHOUT_PAIRS = 'x86 with AVX512-VNNI, the qnnpack engine; ONNX Runtime: u8u8 or session.x64quantprecision=1';
/** Its depthwise and direct transposed convolutions. */
const ELSEWHERE_THAN_FBGEMM =
  "the qnnpack engine, or oneDNN's convolutions (engine x86 on a CPU with AVX512-VNNI); FBGEMM saturates here on every CPU";
const OF_ONNX_RUNTIME =
  'quantize_static(..., reduce_range=True), or quantize_dynamic likewise, which keeps the weights in -64..64, or uint8 weights (weight_type=QuantType.QUInt8), session.x64quantprecision=1, or a CPU with VNNI';
const OF_TORCHAO =
  'quantize_(model, Int8DynamicActivationInt8WeightConfig(..., reduce_range=True)), which keeps activations and weights in -64..63 (Int8StaticActivationInt8WeightConfig likewise), or leave ONEDNN_MAX_CPU_ISA unset: sums are then exact';
const SYMMETRIC = 'quantize weights symmetrically (zero_point 0)';
const WIDER = 'widen the output scale';
const NARROWER = 'narrow the output scale';

/** By kernels, which channels share: a million of them have one text. */
const fixes = new WeakMap<readonly string[], string>();

function fixOfPairs(names: readonly string[]): string {
  const kernels = names.map((name) => kernelNamed(name));
  if (kernels.every((kernel) => kernel?.runtime === 'onnxruntime')) return OF_ONNX_RUNTIME;
  if (kernels.every((kernel) => kernel?.family === 'torchao')) return OF_TORCHAO;
  const elsewhere = kernels.some((kernel) => kernel?.sums === 'exact') ? ELSEWHERE_THAN_FBGEMM : WITHOUT_PAIRS;
  return `${REDUCE_RANGE}, or run where products are not paired: ${elsewhere}`;
}

const WORDS: { readonly [C in LintCode]: Words<C> } = {
  'int16-saturation': {
    message: ({ evidence, facts }) =>
      `${pairSum(evidence.pair)} leaves int16${facts ? `; ${seenSaturating(evidence.saturated_values ?? 0, facts)}` : ''}`,
    fix: ({ kernels }) => {
      const fix = fixes.get(kernels) ?? fixOfPairs(kernels);
      fixes.set(kernels, fix);
      return fix;
    },
  },
  'int16-wrap': {
    message: ({ evidence: { pair } }) =>
      `weights of -128 at k = ${pair.k.join(' and ')} meet in one int16 and wrap where both activations are smallest`,
    fix: 'keep weights in -127..127 (symmetric, narrow range), as TFLite does',
  },
  'kernel-defect': {
    message: ({ facts, evidence }) => `${facts.what} (${evidence.since})`,
    fix: ({ facts }) => facts.avoid,
  },
  'accumulator-overflows-int32': {
    message: ({ evidence }) =>
      `the accumulator can reach ${farthest(evidence.worst)}, which int32 does not hold: it wraps`,
    fix: 'split the layer along its inputs, or use a smaller weight scale range',
  },
  'accumulator-above-2^24': {
    message: ({ evidence }) =>
      `the accumulator can reach ${farthest(evidence.worst)}, above 2^24: converting it to float32 rounds`,
    fix: 'expect 1 step of difference to integer requantization; compare with a kernel that converts as yours does',
  },
  'multiplier-range': {
    message: ({ evidence, facts }) => `multiplier ${evidence.multiplier} ${limitPassed(facts)}`,
    fix: ({ evidence, facts }) => (facts.limit === 'int32' || evidence.multiplier >= 256 ? WIDER : NARROWER),
  },
  'multiplier-at-least-1': {
    message: ({ evidence }) =>
      `multiplier ${evidence.multiplier} is 1 or more: QNNPACK of older PyTorch releases refuses it`,
    fix: `${WIDER}, or use PyTorch 2`,
  },
  'bias-overflows-int32': {
    message: ({ evidence: { bias, accumulator_units: units } }) =>
      `bias ${bias} is ${units} accumulator units, which int32 does not hold: it is clamped`,
    fix: 'give the channel a larger weight scale, or the layer a larger input scale',
  },
  'bias-lost-in-float32': {
    message: ({ evidence: { bias, accumulator_units: units } }) =>
      `bias ${bias} is ${units} accumulator units, above 2^24: added in float32, the low bits of the accumulator are lost`,
    fix: 'give the channel a larger weight scale',
  },
  'bias-rounding': {
    message: ({ evidence: { bias, steps } }) =>
      `rounding bias ${bias} to int32 moves the output by ${steps.toPrecision(3)} steps`,
    fix: 'give the channel a smaller weight scale',
  },
  'weight-zero-point': {
    message: ({ evidence, facts: { limit, outFeatures, first } }) =>
      `${evidence.channels} of ${outFeatures} channels have a weight zero point, the first is channel ${first.channel}: ${first.zeroPoint}; ${WITH_ZERO_POINTS[limit]}`,
    fix: SYMMETRIC,
  },
  'dead-channel': {
    message: ({ evidence, facts }) => `the output is ${evidence.value}, at the clamp, ${when(facts)}`,
    fix: ({ facts }) => constantFix(facts),
  },
  'constant-channel': {
    message: ({ evidence, facts }) => `the output is ${evidence.value} ${when(facts)}`,
    fix: ({ facts }) => constantFix(facts),
  },
  'unused-range': {
    message: ({ evidence: { used, possible } }) =>
      `the captured output uses codes ${codes(used)} of ${codes(possible)}: ${bitsUnused(used, possible)} unused`,
    fix: 'calibrate the output on data like this: its scale is too large',
  },
  'reduce-range-exceeded': {
    message: ({ evidence: { quant_max: quantMax, largest } }) =>
      `the input declares 0..${quantMax} (reduce_range), but the capture holds codes up to ${largest}`,
    fix: 'calibrate on data that covers these activations: PyTorch clamps at 255, not at 127',
  },
};

/** Why a layer is not looked at though it is replayed. */
export const NO_RULE = 'lint has no rule for the op';
export const NOT_REPLAYED = 'not replayed';

export function messageOf<C extends LintCode>(code: C, found: Found<C>): string {
  return textOf(WORDS[code].message, found);
}

export function fixOf<C extends LintCode>(code: C, found: Found<C>): string {
  return textOf(WORDS[code].fix, found);
}

function textOf<C extends LintCode>(text: Text<C>, found: Found<C>): string {
  return typeof text === 'string' ? text : text(found);
}

// ---------------------------------------------------------------- parts of sentences

/** "x[2], x[3]: 255 * -128 + 255 * -128 = -65280". */
function pairSum({ k, x, w, sum }: WorstPair): string {
  return `x[${k[0]}], x[${k[1]}]: ${x[0]} * ${w[0]} + ${x[1]} * ${w[1]} = ${sum}`;
}

function seenSaturating(values: number, seen: NonNullable<LintFacts['int16-saturation']>): string {
  if (values > 0) return `the captured inputs do so in ${values} of ${seen.samples} values`;
  return seen.isSafe
    ? `safe within the captured codes ${seen.codes.lo}..${seen.codes.hi}`
    : 'the captured inputs do so in none';
}

function farthest([lo, hi]: readonly [number, number]): number {
  return largestMagnitude({ lo, hi });
}

function limitPassed(passed: LintFacts['multiplier-range']): string {
  switch (passed.limit) {
    case 'xnnpack':
      return "is outside XNNPACK's 2^-32..256";
    case 'fixed-point':
      return 'is below 2^-32: the fixed-point multiplier is 0';
    case 'int32':
      return `shifts the accumulator left by ${passed.exponent}: ${passed.largest} leaves int32`;
  }
}

const WITH_ZERO_POINTS = {
  'weight zero points': 'oneDNN refuses the layer',
  'weight zero points of channels': 'TFLite wants 0 per channel',
  'weight zero points, ignored': 'the XNNPACK delegate of LiteRT 1.2 and 1.4 ignores it',
} as const;

function when({ samples }: LintFacts['constant-channel']): string {
  return samples === null ? 'whatever the input' : `in all ${samples} captured samples`;
}

function constantFix({ samples }: LintFacts['constant-channel']): string {
  return samples === null
    ? 'prune the channel, or look for a wrong scale or bias'
    : 'widen the data, or prune the channel';
}

function codes([lo, hi]: readonly [number, number]): string {
  return `${lo}..${hi}`;
}

/** "1 bit is", "2 bits are". */
function bitsUnused(used: readonly [number, number], possible: readonly [number, number]): string {
  const count = ([lo, hi]: readonly [number, number]) => hi - lo + 1;
  const bits = Math.floor(Math.log2(count(possible) / count(used)));
  return `${bits} ${bits === 1 ? 'bit is' : 'bits are'}`;
}
