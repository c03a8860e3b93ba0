import { int32BiasCut, int32Biases } from '../../kernels/steps/bias.js';
import type { BiasStep, Product } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { printable } from '../../text.js';
import { isInt32Bias, kernelSteps } from '../alternatives/departures.js';
import type { Cause } from '../cause.js';
import type { CauseEvidence, DecidingValue, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, withParams, withSteps } from '../setup.js';
import { biasCode, codeOf, inC, numpy } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { decidingSentence, number } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'bias-int32': SomeChannels & {
      /** How the judged side adds its bias. */
      readonly bias: 'int32' | 'float';
      /** |b - s_x * s_w * rint(b / (s_x * s_w))| / s_y, the largest, and its channel. */
      readonly max_rounding_error_steps?: number;
      readonly channel?: number;
      /** Cut towards zero, where the declared kernel rounds or adds it in float. */
      readonly cut_for?: 'int32' | 'float';
      /** Biases of int64 as int32: number n of that memory for channel n, or without their upper halves. */
      readonly int64_as?: 'memory' | 'low halves';
      /** How another file's int32 numbers come of the float ones. */
      readonly rounding?: string;
      readonly deciding?: DecidingValue;
    };
  }
}

function changeOf(bias: BiasStep, found?: CauseEvidence['bias-int32']): ProductChange {
  return {
    cause: 'bias-int32',
    coordinate: 'bias',
    freedom: FREEDOM.none,
    label: bias.name,
    ...(found && { found }),
    apply: (setup) => withSteps(setup, { bias }),
  };
}

/** The bias rounded to int32 at s_x * s_w where the declared kernel adds it in float, or the other way round. */
export const biasInt32: Cause<'bias-int32', 'product'> = {
  code: 'bias-int32',
  kinds: ['product'],
  whose: 'kernel',

  changes: (study) => {
    const { steps: declared, params } = study.declared;
    if (study.free && declared.bias.int64) return ofInt64(params);
    if (!params.bias) return [];
    const ofKernels = kernelSteps(study, 'bias');
    const steps = study.free && !isInt32Bias(declared.bias) ? [...new Set([...ofKernels, ...int32Biases])] : ofKernels;
    const cutFor = isInt32Bias(declared.bias) ? 'int32' : 'float';
    return [
      ...steps.filter((step) => isInt32Bias(step) !== isInt32Bias(declared.bias)).map((bias) => changeOf(bias)),
      ...(study.free ? [changeOf(int32BiasCut, { bias: 'int32', cut_for: cutFor })] : []),
    ];
  },

  evidence: (found) => {
    const { bias, input, weightScale, output } = found.study.declared.params;
    const kind = isInt32Bias(found.setup.steps.bias) ? 'int32' : 'float';
    if (!bias || !isQuantized(output)) return { bias: kind, deciding: decidingValue(found) };
    let worst = { channel: 0, steps: 0 };
    bias.forEach((b, channel) => {
      const unit = input.scale * weightScale[weightScale.length > 1 ? channel : 0];
      const steps = Math.abs(b - unit * roundHalfEven(b / unit)) / output.scale;
      if (steps > worst.steps) worst = { channel, steps };
    });
    return {
      bias: kind,
      max_rounding_error_steps: worst.steps,
      channel: worst.channel,
      deciding: decidingValue(found),
    };
  },

  words: {
    title: (e) => {
      if (e.int64_as) return 'int64 biases read as int32';
      if (e.cut_for) return 'bias cut to int32, not rounded';
      return e.bias === 'float' ? 'bias added in float, not rounded to int32' : 'bias rounded to int32';
    },
    explanation: (e) =>
      e.int64_as
        ? INT64_AS[e.int64_as]
        : e.cut_for
          ? `A bias at scale s_x * s_w loses up to one accumulator unit when it is cut to int32; the other side ${e.cut_for === 'int32' ? 'rounds it to the nearest' : 'keeps it in float'}.`
          : 'A bias at scale s_x * s_w loses a fraction of an accumulator unit when it is rounded to int32; the other side keeps it in float.',
    evidence: (e, context) => [
      e.rounding
        ? `the export rounds the bias to int32, ${e.rounding}; ${e.bias === 'float' ? 'the other file has' : `${printable(context.declaredKernel)} adds`} it as float`
        : null,
      number(e.cut_for ? undefined : e.max_rounding_error_steps, (n) => {
        const where = e.channel === undefined ? '' : ` (channel ${e.channel})`;
        return `rounding the bias moves a value by up to ${n} steps${where}`;
      }),
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : e.int64_as
          ? 'read the biases as int64_t: sums of int16 codes need more than 32 bits'
          : roundsIt(e)
            ? `round the bias first, int32(rint(bias / (s_x * s_w))), as ${printable(context.declaredKernel)} does`
            : `add the bias in float before the multiplier, acc + bias / (s_x * s_w), as ${printable(context.declaredKernel)} does`,
    code: (e, context) =>
      e.int64_as
        ? codeOf(READ_INT64)(context)
        : context.subject === 'candidate'
          ? biasCode({ bias: { step: '', equation: '', rounded: roundsIt(e) } })
          : declareCode(context),
  },
};

/** Whether the declared kernel does. */
function roundsIt({ bias, cut_for }: Partial<CauseEvidence['bias-int32']>): boolean {
  return bias === 'float' || cut_for === 'int32';
}

const INT64_AS = {
  memory:
    'Each bias is two numbers of int32 in memory, its lower and its upper half: channel n is given number n of them.',
  'low halves': 'The upper 32 bits of each bias are cut off.',
} as const;

const READ_INT64 = [numpy('b = np.frombuffer(data, np.int64)'), inC('const int64_t *b = (const int64_t *)data;')];

/** A pointer of the wrong type, or a cast. */
function ofInt64({ biasInt64, biasInt32 }: Product): ProductChange[] {
  const own = biasInt64 ?? biasInt32;
  if (!own) return [];
  const halves = [...own].flatMap((b) => [wrapInt32(b), Math.floor(b / 2 ** 32)]);
  const change = (as: 'memory' | 'low halves', values: readonly number[]): ProductChange => ({
    cause: 'bias-int32',
    coordinate: 'bias_values',
    freedom: FREEDOM.none,
    label: as,
    found: { bias: 'int32', int64_as: as },
    apply: (setup) => withParams(setup, { bias: null, biasInt32: Int32Array.from(values), biasInt64: undefined }),
  });
  const low = halves.filter((_, i) => i % 2 === 0);
  return [change('memory', halves.slice(0, own.length)), ...(biasInt64 ? [change('low halves', low)] : [])];
}
