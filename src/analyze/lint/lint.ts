/** Before anything runs: what a layer's numbers can do on which kernel. Better with a capture: then what they did, too. */
import { declaredKernel, kernels } from '../../kernels/registry.js';
import {
  exact,
  isPaired,
  neonMlalInt16Wrap,
  type PairedAccumulateStep,
  type Pairs,
} from '../../kernels/steps/accumulate.js';
import { weightZeroPointOf } from '../../kernels/steps/exactSums.js';
import { fixedPointMultipliers } from '../../kernels/steps/multiplier.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { Capture } from '../../nouns/capture.js';
import type { Codes, Kernel, Linear } from '../../nouns/kernel.js';
import { isLinear, type Layer, type LinearDynamicLayer, type LinearLayer, type Model } from '../../nouns/model.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { quantizeMultiplier } from '../../numeric/fixedPoint.js';
import { clamp, INT32_MAX, INT32_MIN } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { linearOf, type ReadyLayer } from '../../replay/layer.js';
import { stepsBeforeRounding, stepsToCode } from '../../replay/linear.js';
import { blockRows, ReplaySession } from '../../replay/session.js';

export const SEVERITIES = ['info', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface LintFinding {
  code: string;
  severity: Severity;
  layer: string;
  /** null: the whole layer. */
  channel: number | null;
  /** Kernels that it concerns. */
  kernels: string[];
  message: string;
  fix: string;
  evidence: Record<string, unknown>;
}

export interface LintLayer {
  name: string;
  op: string;
  /** Two's complement, zero points corrected, int32 bias included; over the input's range, and over the capture. */
  accumulator_bits: { worst: number; observed: number | null };
  /** Input codes: what can come, and what came. */
  input_range: { worst: [number, number]; observed: [number, number] | null };
}

export interface LintDocument {
  format: 'qdiff-lint';
  version: 1;
  findings: LintFinding[];
  layers: LintLayer[];
}

type LinearLike = LinearLayer | LinearDynamicLayer;

interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** Raw input codes, and the same with the zero point subtracted. */
interface InputRange {
  readonly codes: Range;
  readonly centred: Range;
}

/** What the capture shows of a layer. */
interface Observation {
  readonly values: number;
  readonly samples: number;
  readonly codes: Range;
  readonly codesAbove127: number;
  /** Bias included; by channel. */
  readonly accumulators: readonly Range[];
  /** Values whose accumulator is not exact, by saturating step and channel. */
  readonly inexact: ReadonlyMap<PairedAccumulateStep, Uint32Array>;
  /** Captured output codes by channel; null where there are none. */
  readonly outputs: readonly Range[] | null;
}

/** Everything that the rules look at. */
interface Subject {
  readonly layer: LinearLike;
  readonly linear: Linear;
  readonly kernel: Kernel;
  readonly range: InputRange;
  readonly observed: Observation | null;
  /** Bias included, over the input's range; by channel. */
  readonly worst: readonly Range[];
  /** int32 bias in accumulator units, unclamped; by channel. */
  readonly bias: Float64Array;
}

type Found = Omit<LintFinding, 'layer'>;

/** Lints every linear layer. Throws InputError for weights or values that turn out unreadable. */
export async function lint(model: Model, capture: Capture | null): Promise<LintDocument> {
  const kernel = declaredKernel(model.producer);
  const session = capture && new ReplaySession(model, capture, kernel, 'isolated');
  const document: LintDocument = { format: 'qdiff-lint', version: 1, findings: [], layers: [] };
  for (const layer of model.layers) {
    if (!isLinear(layer)) continue;
    const subject = await subjectOf(model, layer, kernel, session, capture);
    const found = RULES.flatMap((rule) => rule(subject));
    document.findings.push(...found.map((finding) => ({ ...finding, layer: layer.name })));
    document.layers.push(layerSummary(subject));
  }
  return document;
}

function layerSummary({ layer, range, worst, observed }: Subject): LintLayer {
  const bits = (ranges: readonly Range[]) =>
    ranges.reduce((most, { lo, hi }) => Math.max(most, bitsOf(lo), bitsOf(hi)), 1);
  return {
    name: layer.name,
    op: layer.op,
    accumulator_bits: { worst: bits(worst), observed: observed && bits(observed.accumulators) },
    input_range: {
      worst: [range.codes.lo, range.codes.hi],
      observed: observed && [observed.codes.lo, observed.codes.hi],
    },
  };
}

/** Bits of the narrowest two's complement integer that holds a value: -128 takes 8, 128 takes 9. */
export function bitsOf(value: number): number {
  const magnitude = value < 0 ? -value - 1 : value;
  return magnitude === 0 ? 1 : Math.floor(Math.log2(magnitude)) + 2;
}

// ---------------------------------------------------------------- what is known of a layer

async function subjectOf(
  model: Model,
  layer: LinearLike,
  kernel: Kernel,
  session: ReplaySession | null,
  capture: Capture | null,
): Promise<Subject> {
  const declared = paramsOf(model, layer.input);
  const dynamic = layer.op === 'linear_dynamic';
  const input = dynamic || !declared ? dynamicInput(layer) : declared;
  const ready: ReadyLayer = { layer, input, weight: await layer.weight.read() };
  const linear = linearOf(ready, layer, input);
  const range = dynamic ? dynamicRange(layer) : inputRange(model, layer.input, input, kernel);
  const bias = biasUnits(linear);
  const readable = session && !dynamic && !session.whyNotReplayed(layer);
  return {
    layer,
    linear,
    kernel,
    range,
    observed: readable ? await observe(session, layer, linear, bias, capture!) : null,
    worst: worstAccumulators(linear, range.centred, bias),
    bias,
  };
}

function paramsOf(model: Model, value: string): QuantParams | null {
  const params =
    model.inputs.find(({ name }) => name === value)?.params ?? model.layers.find(({ name }) => name === value)?.output;
  return params && isQuantized(params) ? params : null;
}

/** A dynamic layer spreads its batch over these codes; reduce_range never exceeds 127, as the range is the batch's own. */
function dynamicInput(layer: LinearLike): QuantParams {
  const quantMax = layer.op === 'linear_dynamic' && layer.reduceRange ? 127 : 255;
  return { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax };
}

function dynamicRange(layer: LinearLike): InputRange {
  const { quantMax } = dynamicInput(layer);
  return { codes: { lo: 0, hi: quantMax }, centred: { lo: -quantMax, hi: quantMax } };
}

/** The dtype's range, above the zero point where a ReLU precedes. */
function inputRange(model: Model, value: string, params: QuantParams, kernel: Kernel): InputRange {
  const codes = rectified(model, value, { lo: params.quantMin, hi: params.quantMax }, params, kernel);
  return { codes, centred: { lo: codes.lo - params.zeroPoint, hi: codes.hi - params.zeroPoint } };
}

function rectified(model: Model, value: string, range: Range, params: QuantParams, kernel: Kernel): Range {
  const producer: Layer | undefined = model.layers.find(({ name }) => name === value);
  if (!producer) return range;
  if (producer.op === 'identity') return rectified(model, producer.input, range, params, kernel);
  const relu = producer.op === 'relu' || (producer.op === 'linear' && producer.activation === 'relu');
  if (producer.op === 'relu6')
    return { lo: Math.max(range.lo, params.zeroPoint), hi: Math.min(range.hi, kernel.relu6(params)) };
  return relu ? { lo: Math.max(range.lo, params.zeroPoint), hi: range.hi } : range;
}

function biasUnits(linear: Linear): Float64Array {
  const { bias, biasInt32, outFeatures, input } = linear;
  if (biasInt32) return Float64Array.from(biasInt32);
  return Float64Array.from({ length: outFeatures }, (_, n) =>
    bias ? roundHalfEven(bias[n] / (input.scale * weightScaleOf(linear, n))) : 0,
  );
}

function worstAccumulators(linear: Linear, { lo, hi }: Range, bias: Float64Array): Range[] {
  const { weight, inFeatures, outFeatures } = linear;
  return Array.from({ length: outFeatures }, (_, n) => {
    const zeroPoint = weightZeroPointOf(linear, n);
    let positive = 0;
    let negative = 0;
    for (let k = n * inFeatures; k < (n + 1) * inFeatures; k++) {
      const w = weight[k] - zeroPoint;
      if (w > 0) positive += w;
      else negative += w;
    }
    return { lo: positive * lo + negative * hi + bias[n], hi: positive * hi + negative * lo + bias[n] };
  });
}

async function observe(
  session: ReplaySession,
  layer: LinearLike,
  linear: Linear,
  bias: Float64Array,
  capture: Capture,
): Promise<Observation> {
  const { outFeatures, inFeatures } = linear;
  const run = await session.open(layer);
  const captured = isQuantized(linear.output) ? (capture.values.get(layer.name) ?? null) : null;
  const accumulators = emptyRanges(outFeatures);
  const outputs = captured && emptyRanges(outFeatures);
  const codes = { lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY };
  const steps = saturatingGroups(linear).map(({ step }) => step);
  const inexact = new Map(steps.map((step) => [step, new Uint32Array(outFeatures)]));
  let codesAbove127 = 0;
  const rows = blockRows(inFeatures + outFeatures);
  for (let from = 0; from < capture.samples; from += rows) {
    const to = Math.min(capture.samples, from + rows);
    const x = { rows: to - from, cols: inFeatures, data: await run.input.read(from, to) } as Codes;
    for (const code of x.data) {
      widen(codes, code);
      if (code > 127) codesAbove127++;
    }
    const sums = exact.run(x, linear).data;
    sums.forEach((sum, i) => {
      widen(accumulators[i % outFeatures], sum + bias[i % outFeatures]);
    });
    for (const [step, counts] of inexact) {
      const saturated = step.run(x, linear).data;
      for (let i = 0; i < sums.length; i++) if (saturated[i] !== sums[i]) counts[i % outFeatures]++;
    }
    if (captured && outputs) {
      (await captured.read(from, to)).forEach((code, i) => {
        widen(outputs[i % outFeatures], code);
      });
    }
  }
  const { samples } = capture;
  return { values: samples * outFeatures, samples, codes, codesAbove127, accumulators, inexact, outputs };
}

function emptyRanges(count: number): { lo: number; hi: number }[] {
  return Array.from({ length: count }, () => ({ lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY }));
}

function widen(range: { lo: number; hi: number }, value: number): void {
  if (value < range.lo) range.lo = value;
  if (value > range.hi) range.hi = value;
}

// ---------------------------------------------------------------- products added in pairs at int16

interface SaturatingGroup {
  readonly step: PairedAccumulateStep;
  readonly pairs: Pairs;
  readonly kernels: string[];
}

/** Kernels that pair this layer's products in the same way: K blocks of oneDNN shift pairs in some widths only. */
function saturatingGroups(linear: Linear, isWrapping = false): SaturatingGroup[] {
  const groups = new Map<string, SaturatingGroup>();
  for (const { name, accumulate: step } of kernels) {
    if (!isPaired(step) || (step === neonMlalInt16Wrap) !== isWrapping || !step.applies(linear)) continue;
    const pairs = step.pairs(linear.inFeatures);
    const key = pairs.second.join();
    const group = groups.get(key);
    if (group) group.kernels.push(name);
    else groups.set(key, { step, pairs, kernels: [name] });
  }
  return [...groups.values()];
}

interface WorstPair {
  readonly k: [number, number];
  readonly x: [number, number];
  readonly w: [number, number];
  readonly sum: number;
  readonly saturated: number;
}

/** The pair that can leave int16 farthest over a range of codes, and how many can. */
function worstPair({ linear }: Subject, { step, pairs }: SaturatingGroup, channel: number, { lo, hi }: Range) {
  const { first, second } = pairs;
  const shift = step.codeShift(linear);
  let worst: WorstPair | null = null;
  let farthest = 0;
  let count = 0;
  for (let p = 0; p < first.length; p++) {
    const k: [number, number] = [first[p], second[p]];
    const w = k.map((index) => (index < 0 ? 0 : linear.weight[channel * linear.inFeatures + index])) as [
      number,
      number,
    ];
    let farthestHere = 0;
    for (const sign of [1, -1]) {
      const x = w.map((weight) => (weight * sign > 0 ? hi : lo) + shift) as [number, number];
      const sum = x[0] * w[0] + x[1] * w[1];
      const lost = step.loss(sum);
      farthestHere = Math.max(farthestHere, Math.abs(lost));
      if (Math.abs(lost) <= farthest) continue;
      farthest = Math.abs(lost);
      worst = { k, x, w, sum, saturated: sum - lost };
    }
    if (farthestHere > 0) count++;
  }
  return worst && { pair: worst, pairs: count, total: first.length };
}

const SATURATION_FIX =
  'give the activation observer reduce_range=True (costs 1 bit of the activation, about 6 dB), or run where products are not paired: x86 with AVX512-VNNI, the qnnpack engine; ONNX Runtime: u8u8 or session.x64quantprecision=1';

function saturation(subject: Subject): Found[] {
  const { linear, observed, range } = subject;
  const groups = saturatingGroups(linear);
  return channelsOf(linear).flatMap((channel) =>
    groups.flatMap((group) => {
      const found = worstPair(subject, group, channel, range.codes);
      if (!found) return [];
      const { pair, pairs, total } = found;
      const values = observed?.inexact.get(group.step)?.[channel];
      const withinObserved = observed && worstPair(subject, group, channel, observed.codes) === null;
      const severity = !observed || values! > 0 ? 'error' : withinObserved ? 'info' : 'warning';
      const [a, b] = [0, 1].map((i) => `${pair.x[i]} * ${pair.w[i]}`);
      const how = `x[${pair.k[0]}], x[${pair.k[1]}]: ${a} + ${b} = ${pair.sum} leaves int16`;
      const seen = !observed
        ? ''
        : values! > 0
          ? `; it did in ${values} of ${observed.samples} captured values`
          : withinObserved
            ? `; safe within the captured codes ${observed.codes.lo}..${observed.codes.hi}`
            : '; it did in none of the captured values';
      const evidence = {
        pair,
        pairs_that_can_saturate: pairs,
        pairs: total,
        ...(observed ? { saturated_values: values, codes_above_127: observed.codesAbove127 } : {}),
      };
      return [
        {
          code: 'int16-saturation',
          severity,
          channel,
          kernels: group.kernels,
          message: how + seen,
          fix: SATURATION_FIX,
          evidence,
        },
      ];
    }),
  ) as Found[];
}

function wrapping(subject: Subject): Found[] {
  const { linear, range } = subject;
  const groups = saturatingGroups(linear, true);
  return channelsOf(linear).flatMap((channel) =>
    groups.flatMap((group): Found[] => {
      const found = worstPair(subject, group, channel, range.codes);
      if (!found) return [];
      const message = `weights of -128 at k = ${found.pair.k.join(' and ')} meet in one int16 and wrap where both activations are smallest`;
      const fix = 'keep weights in -127..127 (symmetric, narrow range), as TFLite does';
      return [
        {
          code: 'int16-wrap',
          severity: 'warning',
          channel,
          kernels: group.kernels,
          message,
          fix,
          evidence: { pair: found.pair },
        },
      ];
    }),
  );
}

// ---------------------------------------------------------------- accumulator, multiplier, bias

const namesWhere = (selects: (kernel: Kernel) => boolean) => kernels.filter(selects).map(({ name }) => name);
const usesFixedPoint = ({ multiplier }: Kernel) => fixedPointMultipliers.some((step) => step === multiplier);
const FIXED_POINT = namesWhere(usesFixedPoint);
const FLOAT32 = namesWhere(
  (kernel) => !usesFixedPoint(kernel) && !kernel.multiplier.name.startsWith('float64') && !kernel.floatLinear,
);
const XNNPACK = namesWhere(({ runtime }) => runtime === 'xnnpack');
const TFLITE = namesWhere(({ runtime }) => runtime === 'tflite' || runtime === 'cmsis-nn');
const ONEDNN = namesWhere(({ name }) => name.startsWith('onednn'));
const INT32_BIAS = namesWhere(({ bias }) => bias.name.startsWith('int32'));
const FBGEMM = namesWhere(({ name }) => name.startsWith('fbgemm'));

function accumulator({ linear, worst, observed }: Subject): Found[] {
  return channelsOf(linear).flatMap((channel): Found[] => {
    const { lo, hi } = worst[channel];
    const seen = observed?.accumulators[channel];
    const largest = Math.max(Math.abs(lo), Math.abs(hi));
    const evidence = { worst: [lo, hi], ...(seen ? { observed: [seen.lo, seen.hi] } : {}) };
    if (lo < INT32_MIN || hi > INT32_MAX) {
      const message = `the accumulator can reach ${largest}, which int32 does not hold: it wraps`;
      const fix = 'split the layer along its inputs, or use a smaller weight scale range';
      return [
        {
          code: 'accumulator-overflows-int32',
          severity: 'warning',
          channel,
          kernels: namesWhere((k) => !k.floatLinear),
          message,
          fix,
          evidence,
        },
      ];
    }
    if (largest <= 2 ** 24) return [];
    const happened = seen && Math.max(Math.abs(seen.lo), Math.abs(seen.hi)) > 2 ** 24;
    return [
      {
        code: 'accumulator-above-2^24',
        severity: happened ? 'warning' : 'info',
        channel,
        kernels: FLOAT32,
        message: `the accumulator can reach ${largest}, above 2^24: converting it to float32 rounds`,
        fix: 'expect 1 step of difference to integer requantization; compare with a kernel that converts as yours does',
        evidence,
      },
    ];
  });
}

function multiplier({ linear, worst }: Subject): Found[] {
  const { output, input } = linear;
  if (!isQuantized(output)) return [];
  return channelsOf(linear).flatMap((channel): Found[] => {
    const real = (input.scale * weightScaleOf(linear, channel)) / output.scale;
    const fixed = quantizeMultiplier(real);
    const largest = Math.max(Math.abs(worst[channel].lo), Math.abs(worst[channel].hi));
    const evidence = { multiplier: real };
    const finding = (code: string, severity: Severity, names: string[], message: string, fix: string): Found => ({
      code,
      severity,
      channel,
      kernels: names,
      message,
      fix,
      evidence,
    });
    const wider = 'widen the output scale';
    return [
      ...(real < 2 ** -32 || real >= 256
        ? [
            finding(
              'multiplier-range',
              'error',
              XNNPACK,
              `multiplier ${real} is outside XNNPACK's 2^-32..256`,
              real >= 256 ? wider : 'narrow the output scale',
            ),
          ]
        : []),
      ...(fixed.multiplier === 0
        ? [
            finding(
              'multiplier-range',
              'error',
              FIXED_POINT,
              `multiplier ${real} is below 2^-32: the fixed-point multiplier is 0`,
              'narrow the output scale',
            ),
          ]
        : []),
      ...(fixed.exponent > 0 && largest * 2 ** fixed.exponent > INT32_MAX
        ? [
            finding(
              'multiplier-range',
              'warning',
              FIXED_POINT,
              `multiplier ${real} shifts the accumulator left by ${fixed.exponent}: ${largest} leaves int32`,
              wider,
            ),
          ]
        : []),
      ...(real >= 1
        ? [
            finding(
              'multiplier-at-least-1',
              'info',
              ['qnnpack'],
              `multiplier ${real} is 1 or more: QNNPACK of older PyTorch releases refuses it`,
              'widen the output scale, or use PyTorch 2',
            ),
          ]
        : []),
    ];
  });
}

function bias({ linear, bias: units }: Subject): Found[] {
  if (!linear.bias) return [];
  const { output, input, bias: real } = linear;
  return channelsOf(linear).flatMap((channel): Found[] => {
    const scale = input.scale * weightScaleOf(linear, channel);
    const inUnits = units[channel];
    const evidence = { bias: real[channel], accumulator_units: inUnits };
    if (inUnits < INT32_MIN || inUnits > INT32_MAX) {
      const message = `bias ${real[channel]} is ${inUnits} accumulator units, which int32 does not hold: it is clamped`;
      return [
        {
          code: 'bias-overflows-int32',
          severity: 'error',
          channel,
          kernels: INT32_BIAS,
          message,
          fix: 'give the channel a larger weight scale, or the layer a larger input scale',
          evidence,
        },
      ];
    }
    const error = isQuantized(output) ? Math.abs(real[channel] - scale * inUnits) / output.scale : 0;
    return [
      ...(Math.abs(inUnits) >= 2 ** 24
        ? [
            {
              code: 'bias-lost-in-float32',
              severity: 'warning' as const,
              channel,
              kernels: FBGEMM,
              message: `bias ${real[channel]} is ${inUnits} accumulator units, above 2^24: added in float32, the low bits of the accumulator are lost`,
              fix: 'give the channel a larger weight scale',
              evidence,
            },
          ]
        : []),
      ...(error > 0.5
        ? [
            {
              code: 'bias-rounding',
              severity: 'warning' as const,
              channel,
              kernels: INT32_BIAS,
              message: `rounding bias ${real[channel]} to int32 moves the output by ${error.toPrecision(3)} steps`,
              fix: 'give the channel a smaller weight scale',
              evidence: { ...evidence, steps: error },
            },
          ]
        : []),
    ];
  });
}

function weightZeroPoint({ linear }: Subject): Found[] {
  const channels = channelsOf(linear).filter((channel) => weightZeroPointOf(linear, channel) !== 0);
  if (channels.length === 0) return [];
  const which = `${channels.length} of ${linear.outFeatures} channels have a weight zero point, the first is channel ${channels[0]}: ${weightZeroPointOf(linear, channels[0])}`;
  const evidence = { channels: channels.length };
  const fix = 'quantize weights symmetrically (zero_point 0)';
  return [
    {
      code: 'weight-zero-point',
      severity: 'error',
      channel: null,
      kernels: ONEDNN,
      message: `${which}; oneDNN refuses the layer`,
      fix,
      evidence,
    },
    linear.perChannel
      ? {
          code: 'weight-zero-point',
          severity: 'error',
          channel: null,
          kernels: TFLITE,
          message: `${which}; TFLite wants 0 per channel`,
          fix,
          evidence,
        }
      : {
          code: 'weight-zero-point',
          severity: 'warning',
          channel: null,
          kernels: XNNPACK,
          message: `${which}; the XNNPACK delegate of LiteRT 1.2 and 1.4 ignores it`,
          fix,
          evidence,
        },
  ];
}

// ---------------------------------------------------------------- channels and ranges that carry nothing

function constantChannels({ linear, kernel, worst, observed, bias: units }: Subject): Found[] {
  const { output } = linear;
  if (!isQuantized(output) || kernel.floatLinear) return [];
  const steps = stepsBeforeRounding(kernel, linear);
  const code = stepsToCode(kernel, linear);
  const lowest = linear.activation === 'relu' ? Math.max(output.quantMin, output.zeroPoint) : output.quantMin;
  const codeOf = (sum: number, channel: number) =>
    code(steps(clamp(sum - units[channel], INT32_MIN, INT32_MAX), channel));
  return channelsOf(linear).flatMap((channel): Found[] => {
    const [lo, hi] = [codeOf(worst[channel].lo, channel), codeOf(worst[channel].hi, channel)];
    const seen = observed && observed.samples > 1 ? observed.outputs?.[channel] : null;
    const always = lo === hi;
    if (!always && !(seen && seen.lo === seen.hi)) return [];
    const value = always ? lo : seen!.lo;
    const clamped = value === lowest || value === output.quantMax;
    const when = always ? 'whatever the input' : `in all ${observed!.samples} captured samples`;
    return [
      {
        code: clamped ? 'dead-channel' : 'constant-channel',
        severity: always ? 'warning' : 'info',
        channel,
        kernels: [],
        message: `the output is ${value}${clamped ? ', at the clamp,' : ''} ${when}`,
        fix: always ? 'prune the channel, or look for a wrong scale or bias' : 'widen the data, or prune the channel',
        evidence: { value },
      },
    ];
  });
}

function unusedRange({ linear, observed }: Subject): Found[] {
  const { output } = linear;
  if (!isQuantized(output) || !observed?.outputs) return [];
  const lowest = linear.activation === 'relu' ? Math.max(output.quantMin, output.zeroPoint) : output.quantMin;
  const lo = observed.outputs.reduce((least, range) => Math.min(least, range.lo), Number.POSITIVE_INFINITY);
  const hi = observed.outputs.reduce((most, range) => Math.max(most, range.hi), Number.NEGATIVE_INFINITY);
  const [used, all] = [hi - lo + 1, output.quantMax - lowest + 1];
  if (used * 2 > all) return [];
  const bits = Math.floor(Math.log2(all / used));
  return [
    {
      code: 'unused-range',
      severity: 'info',
      channel: null,
      kernels: [],
      message: `the captured output uses codes ${lo}..${hi} of ${lowest}..${output.quantMax}: ${bits} ${bits === 1 ? 'bit is' : 'bits are'} unused`,
      fix: 'calibrate the output on data like this: its scale is too large',
      evidence: { used: [lo, hi], possible: [lowest, output.quantMax] },
    },
  ];
}

function reduceRangeExceeded({ linear, observed }: Subject): Found[] {
  const { quantMax } = linear.input;
  if (!observed || quantMax > 127 || linear.input.dtype !== 'uint8' || observed.codes.hi <= quantMax) return [];
  return [
    {
      code: 'reduce-range-exceeded',
      severity: 'warning',
      channel: null,
      kernels: namesWhere(({ accumulate }) => isPaired(accumulate) && accumulate !== neonMlalInt16Wrap),
      message: `the input declares 0..${quantMax} (reduce_range), but the capture holds codes up to ${observed.codes.hi}`,
      fix: 'calibrate on data that covers these activations: PyTorch clamps at 255, not at 127',
      evidence: { quant_max: quantMax, largest: observed.codes.hi },
    },
  ];
}

/** A rule looks at one layer. */
const RULES: readonly ((subject: Subject) => Found[])[] = [
  saturation,
  wrapping,
  accumulator,
  multiplier,
  bias,
  weightZeroPoint,
  constantChannels,
  unusedRange,
  reduceRangeExceeded,
];

function channelsOf({ outFeatures }: Linear): number[] {
  return Array.from({ length: outFeatures }, (_, n) => n);
}
