import { unsignedSums } from '../../kernels/steps/unsignedSums.js';
import { isQuantized } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { printable } from '../../text.js';
import { isConvolution, patchOf, readOtherwise } from '../alternatives/geometry.js';
import { isMaximum, lowestOf, maximumBeside } from '../alternatives/pools.js';
import { otherReadings, TOP_BIT } from '../alternatives/readings.js';
import { formOf, scriptsToNearest } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { readsCodes } from '../facts.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import {
  type Change,
  FREEDOM,
  inputOf,
  type ProductChange,
  type ProductSetup,
  readAs,
  type Setup,
  type TensorSetup,
  withInput,
  withOutput,
  withParams,
  withSteps,
} from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import type { Snippet } from '../words/causeWords.js';
import { codeOf, inC, modelLine, numpy, rtl } from '../words/code.js';
import { fileOf } from '../words/parts.js';
import { unlimited } from './outputWraps.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    signedness: SomeChannels & {
      readonly of?: 'activation' | 'weight' | 'output' | 'sum';
      readonly declared?: 'uint8' | 'int8';
      readonly read_as?: 'uint8' | 'int8';
      /** 128: codes shifted by 128; 256: bytes read with the other sign. */
      readonly off_by?: 128 | 256;
      /** Every code has its top bit flipped. */
      readonly top_bit?: true;
      /** Of sums: how many bits of one are read. */
      readonly bits?: number;
      /** Of sums: what each that is negative becomes. */
      readonly becomes?: number;
    };
  }
}

type Of = 'activation' | 'weight' | 'output';

/** uint8 read as int8 or the reverse: off by 256 from 128 up (bytes reinterpreted), or by 128 throughout. */
export const signedness: Cause<'signedness'> = {
  code: 'signedness',
  kinds: ['product', 'elementwise', 'tensor'],
  whose: 'model',

  changes: (study) => [
    ...(readsCodes(study) && isComputed(study) ? activationChanges(study.declared) : []),
    ...(isProductStudy(study) && study.free && study.data.dynamic ? ofOwnCodes(study) : []),
    ...(isProductStudy(study) && readsCodes(study) && isConvolution(study) ? paddedChanges(study) : []),
    ...(study.declared.kind === 'product' ? weightChanges(study.declared) : []),
    ...outputChanges(study),
    ...topBitChanges(study),
    ...sumChanges(study),
    ...unsignedSumChanges(study),
    ...(isMaximum(study) ? comparedChanges(study as TensorStudy) : []),
    ...(isTensorStudy(study) ? lookedUpChanges(study) : []),
  ],

  words: {
    title: (e) =>
      e.of === 'sum'
        ? e.bits
          ? 'negative sums read without a sign'
          : 'negative sums shifted as unsigned'
        : e.top_bit
          ? `top bit of the ${e.of}s flipped`
          : e.declared && e.read_as
            ? e.off_by === 128
              ? `${e.of ?? 'code'}s of ${e.declared} ${byText(e)}, as ${e.read_as}`
              : `${e.of ?? 'code'}s of ${e.declared} read as ${e.read_as}`
            : 'wrong signedness',
    explanation: (e) =>
      e.of === 'sum'
        ? e.bits
          ? `The sign of a sum of ${e.bits} bits is not extended: what is below 0 becomes large before it is scaled.`
          : 'A logical shift fills a negative sum with zeros from the left: it becomes large, and is clamped from above.'
        : e.top_bit
          ? 'Codes xored with 0x80 are those of the other dtype; their bytes are taken as codes of this one.'
          : e.off_by === 128
            ? 'Codes are shifted by 128 into the other dtype, and taken as the declared one.'
            : 'Bytes are read with the other sign.',
    evidence: (e) => [
      e.becomes === undefined ? null : `every result below the zero point comes out as ${e.becomes}`,
      e.off_by === 256
        ? e.declared === 'int8'
          ? 'codes below 0 are read 256 too high'
          : 'codes from 128 up are read 256 too low'
        : e.off_by === 128
          ? 'every code is off by 128'
          : null,
    ],
    fix: (e, context) => {
      if (e.of === 'sum' && e.bits) return 'extend the sign of a sum where it is read: $signed(), int32_t';
      if (e.of === 'sum')
        return 'shift arithmetically: >>> on a signed operand (one that is unsigned makes it logical)';
      const what = `the ${e.of ?? 'value'}s`;
      if (e.top_bit && context.subject === 'candidate')
        return `leave ${what} as they are (no ^ 0x80), or save them as an ${e.read_as} .npy, which says its dtype`;
      if (e.off_by === 128 && context.subject === 'candidate')
        return `take ${what} as ${e.declared}: ${e.declared === 'int8' ? 'subtract' : 'add'} 128 (as int16), or shift the zero point with them`;
      return context.subject === 'candidate'
        ? `read ${what} as ${e.declared ?? 'declared'}`
        : `correct the dtype of ${what} of ${printable(context.layer)} in ${fileOf(context)}`;
    },
    code: (e, context) =>
      codeOf(e.of === 'sum' ? (e.bits ? EXTENDED : ARITHMETIC_SHIFT) : readAsDeclared(e), () =>
        e.of === 'weight' && e.read_as ? [modelLine(context, { weight_dtype: e.read_as })] : [],
      )(context),
  },
};

const ARITHMETIC_SHIFT = [
  numpy('q = v.astype(np.int64) >> S'),
  inC('q = (int64_t)v >> S;'),
  rtl('q = $signed(v) >>> S;  // q signed too'),
];

const EXTENDED = [
  numpy('acc = (acc & (2**N - 1)) - ((acc >> (N - 1) & 1) << N)  # N: bits of the accumulator'),
  inC('int32_t acc = (int32_t)(raw << (32 - N)) >> (32 - N);  /* N: bits of the accumulator */'),
  rtl('wire signed [31:0] acc = {{(32 - N){raw[N - 1]}}, raw};  // N: bits of the accumulator'),
];

function byText({ declared }: Partial<CauseEvidence['signedness']>): string {
  return declared === 'int8' ? 'plus 128' : 'less 128';
}

/** Of a byte that is read, or of codes that are shifted. */
function readAsDeclared({ of, declared = 'uint8', off_by: off }: Partial<CauseEvidence['signedness']>): Snippet[] {
  const name = of === 'weight' ? 'w' : of === 'output' ? 'y' : 'x';
  if (off === 128) {
    const by = declared === 'int8' ? '- 128' : '+ 128';
    return [
      numpy(`${name} = ${name}.astype(np.int16) ${by}`),
      inC(`int16_t code = (int16_t)${name}[i] ${by};`),
      rtl(
        declared === 'int8'
          ? `wire signed [7:0] code = $signed({1'b0, ${name}}) - 9'sd128;  // uint8 ${name}`
          : `wire signed [8:0] code = $signed(${name}) + 9'sd128;  // int8 ${name}`,
      ),
    ];
  }
  return [
    numpy(`${name} = np.frombuffer(data, np.${declared})`),
    inC(`const ${declared}_t *${name} = (const ${declared}_t *)data;`),
    rtl(declared === 'int8' ? `wire signed [7:0] ${name} = data;` : `wire signed [8:0] ${name} = {1'b0, data};`),
  ];
}

/** Not looked up: a table has no entry for a code that its dtype does not hold. */
function isComputed(study: Study): boolean {
  return !isTensorStudy(study) || study.declared.params.inputs.length > 1 || formOf(study)?.is === 'mean';
}

/** Of each input, and of all of one dtype. */
function activationChanges(declared: Setup): Change[] {
  const dtypes = declared.reads.map((_, input) => inputOf(declared, input).dtype);
  const one = dtypes.flatMap((dtype, input) =>
    readingsOf(dtype, [input]).map((own) => ({ ...own, ...(dtypes.length > 1 && { input }) })),
  );
  const isOne = dtypes.every((dtype) => dtype === dtypes[0]);
  const all = dtypes.map((_, input) => input);
  return dtypes.length > 1 && isOne ? [...one, ...readingsOf(dtypes[0], all)] : one;
}

function readingsOf(dtype: string, inputs: readonly number[]): Change[] {
  if (dtype !== 'uint8' && dtype !== 'int8') return [];
  return otherReadings(dtype).map(({ map, off }) => {
    const own = change('activation', 'x', dtype, off, (setup) =>
      inputs.reduce<Setup>((read, input) => readAs(read, map, input), setup),
    );
    return inputs.length > 1 ? { ...own, label: `${own.label}, all inputs` } : own;
  });
}

/** A table that a byte of the other sign is the index of; or a script that computes it of such. */
function lookedUpChanges(study: TensorStudy): Change[] {
  const input = inputOf(study.declared);
  const { is } = formOf(study) ?? {};
  if (!study.free || isComputed(study) || !isQuantized(input)) return [];
  if (is !== 'table') return is === 'maximum' ? [] : ofBytes(study);
  const { dtype, quantMin } = input;
  if (dtype !== 'uint8' && dtype !== 'int8') return [];
  const map = { name: 'table by the other sign', apply: (code: number) => code + (code < quantMin + 128 ? 128 : -128) };
  const indexed = change('activation', 'x', dtype, 256, (setup) => readAs(setup, map));
  const computed = scriptsToNearest(study, false).flatMap((steps) =>
    activationChanges(study.declared).map((own) => ({
      ...own,
      label: `${own.label}, ${steps.equation}`,
      apply: (setup: Setup) => {
        const read = own.apply(setup) as TensorSetup;
        return read.steps === study.declared.steps ? { ...read, steps } : read; // beside a rounding it has steps
      },
    })),
  );
  return [indexed, ...computed];
}

/** What a kernel looks up by channels a script computes; codes that are all off by 128 are, where they are mixed, another zero point. */
function ofBytes({ declared }: TensorStudy): Change[] {
  return activationChanges(declared).filter(({ found }) => (found as { off_by?: number }).off_by === 256);
}

/** Of the codes that a layer makes of its input. */
function ofOwnCodes({ declared }: ProductStudy): Change[] {
  const dtype = declared.steps.dynamic!.choose.signed ? 'int8' : 'uint8';
  const [{ map, off }] = otherReadings(dtype);
  return [change('activation', 'x', dtype, off, (setup) => readAs(setup, map))];
}

/** No code is as large: what padding holds, whatever is read otherwise. */
const PADDING = 2 ** 24;

/** A script reads codes, takes off the zero point, and pads with 0. */
function paddedChanges(study: ProductStudy): Change[] {
  const { declared } = study;
  const { dtype, zeroPoint } = declared.params.input;
  if ((dtype !== 'uint8' && dtype !== 'int8') || !patchOf(declared).taps.hasHoles) return [];
  const padded = readOtherwise(study, {
    cause: 'signedness',
    label: 'padding of real 0',
    found: {},
    reading: () => ({ fill: PADDING }),
  });
  return otherReadings(dtype).map(({ map, off }) => {
    const own = {
      name: `${map.name}, padding`,
      apply: (code: number) => (code === PADDING ? zeroPoint : map.apply(code)),
    };
    const of = change('activation', 'x', dtype, off, (setup) => readAs(padded.apply(setup as ProductSetup), own));
    return { ...of, label: `${of.label}, ${padded.label}` };
  });
}

/** A maximum of bytes that are compared with the other sign; what stays is the byte. Padding takes no part, or is a byte too. */
function comparedChanges(study: TensorStudy): Change[] {
  const { dtype } = inputOf(study.declared);
  if (!study.free || (dtype !== 'uint8' && dtype !== 'int8')) return [];
  const [{ map }] = otherReadings(dtype);
  const padding = map.apply(lowestOf(study));
  const quantMin = map.apply(128) < 0 ? -128 : 0;
  const range = { quantMin, quantMax: quantMin + 255 };
  const compared = change('activation', 'x', dtype, 256, (setup) => ({
    ...withOutput(withInput(readAs(setup, map), range), range),
    stores: { name: `${map.name}, back`, apply: map.back! },
  }));
  const steps = maximumBeside(study, padding, 'border');
  const beside = (setup: Setup): Setup => ({ ...(compared.apply(setup) as TensorSetup), steps });
  return [compared, { ...compared, label: `${compared.label}, padding too`, apply: beside }];
}

/** Bytes of weights read with the other sign. */
function weightChanges({ params: { weight, weightDtype } }: ProductSetup): Change[] {
  if (weightDtype === 'uint8') {
    if (!weight.some((w) => w > 127)) return [];
    return [change('weight', 'weights', 'uint8', 256, (setup) => withParams(setup, { weight: asSigned(weight) }))];
  }
  if (!weight.some((w) => w < 0)) return [];
  let unsigned: Int16Array | null = null;
  return [
    change('weight', 'weights', 'int8', 256, (setup) => {
      unsigned ??= asUnsigned(weight);
      return withParams(setup, { weight: unsigned });
    }),
  ];
}

const signed = new WeakMap<object, Int16Array>();

/** The same object for the same weights, so that their sums are shared. */
function asSigned(weight: Int8Array | Int16Array): Int16Array {
  const known = signed.get(weight);
  if (known) return known;
  const read = Int16Array.from(weight, (w) => (w > 127 ? w - 256 : w));
  signed.set(weight, read);
  return read;
}

function asUnsigned(weight: Int8Array | Int16Array): Int16Array {
  if (weight instanceof Int8Array)
    return new Int16Array(new Uint8Array(weight.buffer, weight.byteOffset, weight.length));
  const unsigned = new Int16Array(weight);
  for (let i = 0; i < unsigned.length; i++) if (unsigned[i] < 0) unsigned[i] += 256;
  return unsigned;
}

const isByte = (dtype: string): dtype is 'uint8' | 'int8' => dtype === 'uint8' || dtype === 'int8';

/** Of a candidate, alone. */
function topBitChanges(study: Study): Change[] {
  const { declared, free } = study;
  const { output } = declared.params;
  if (!free) return [];
  const { dtype: written } = output;
  const { dtype: read } = inputOf(declared);
  const ofOutput = isByte(written)
    ? [change('output', 'y', written, 128, (setup) => ({ ...setup, stores: TOP_BIT[written] }))]
    : [];
  const ofInput =
    isByte(read) && readsCodes(study) && isComputed(study) && declared.reads.length === 1
      ? [change('activation', 'x', read, 128, (setup) => readAs(setup, TOP_BIT[read]))]
      : [];
  return [...ofOutput, ...ofInput]
    .map((own): Change => ({ ...own, label: `${own.label}, bytes`, found: { ...own.found, top_bit: true } }))
    .filter((own) => study.agreesOnSubset(own.apply(declared)));
}

function outputChanges({ declared }: Study): Change[] {
  const { output } = declared.params;
  if (!isQuantized(output)) return [];
  const { dtype } = output;
  if (dtype !== 'uint8' && dtype !== 'int8') return [];
  return otherReadings(dtype).map(({ map, off }) =>
    change('output', 'y', dtype, off, (setup) => ({ ...setup, stores: map })),
  );
}

/** A sum shifted to the right as if it had no sign: 64 bits or 32 of it, what is below 0 lies above every code. */
function sumChanges({ free, declared }: Study): Change[] {
  const { output } = declared.params;
  if (!free || declared.kind !== 'product' || !isQuantized(output)) return [];
  const { zeroPoint, quantMin, quantMax } = output;
  const apply = (code: number) => (code < zeroPoint ? quantMax : clamp(code, quantMin, quantMax));
  return [
    {
      cause: 'signedness',
      coordinate: 'clamp',
      freedom: FREEDOM.none,
      label: 'sums without a sign',
      found: { of: 'sum', becomes: quantMax },
      apply: (setup) => ({ ...unlimited(setup, true), stores: { name: 'shifted without a sign', apply } }),
    },
  ];
}

/** Before they are scaled: with their bias, or where it is added after. */
function unsignedSumChanges(study: Study): Change[] {
  if (!study.free || !isProductStudy(study) || study.data.dynamic || !isQuantized(study.declared.params.output))
    return [];
  return unsignedSums
    .map(
      (accumulate): ProductChange => ({
        cause: 'signedness',
        coordinate: 'accumulator',
        freedom: FREEDOM.none,
        label: accumulate.name,
        found: { of: 'sum', bits: accumulate.bits },
        apply: (setup) => withSteps(setup, { accumulate }),
      }),
    )
    .filter((own) => study.agreesOnSubset(own.apply(study.declared))) as Change[];
}

function change(
  of: Of,
  coordinate: 'x' | 'weights' | 'y',
  declared: 'uint8' | 'int8',
  off: 128 | 256,
  apply: (setup: Setup) => Setup,
): Change {
  const read_as = declared === 'uint8' ? 'int8' : 'uint8';
  return {
    cause: 'signedness',
    coordinate,
    freedom: FREEDOM.none,
    label: `${of} off by ${off}`,
    found: { of, declared, read_as, off_by: off },
    apply,
  };
}
