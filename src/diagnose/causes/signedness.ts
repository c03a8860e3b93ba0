import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import type { SomeChannels } from '../evidence.js';
import { readsCodes } from '../facts.js';
import { isConvolution, patchOf, readOtherwise } from '../geometry.js';
import { otherReadings } from '../readings.js';
import { type Change, FREEDOM, inputOf, type ProductSetup, readAs, type Setup, withParams } from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study } from '../study/study.js';
import { codeOf, inC, modelLine, numpy } from '../words/code.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    signedness: SomeChannels & {
      readonly of?: 'activation' | 'weight' | 'output';
      readonly declared?: 'uint8' | 'int8';
      readonly read_as?: 'uint8' | 'int8';
      /** 128: codes shifted by 128; 256: bytes read with the other sign. */
      readonly off_by?: 128 | 256;
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
    ...(isProductStudy(study) && readsCodes(study) && isConvolution(study) ? paddedChanges(study) : []),
    ...(study.declared.kind === 'product' ? weightChanges(study.declared) : []),
    ...outputChanges(study),
  ],

  words: {
    title: (e) =>
      e.declared && e.read_as ? `${e.of ?? 'code'}s of ${e.declared} read as ${e.read_as}` : 'wrong signedness',
    explanation: 'Bytes are read with the other sign: off by 128, or by 256 from 128 up.',
    evidence: (e) => [
      e.off_by === 256 ? 'codes from 128 up are off by 256' : e.off_by === 128 ? 'every code is off by 128' : null,
    ],
    fix: (e, context) => {
      const what = `the ${e.of ?? 'value'}s`;
      return context.subject === 'candidate'
        ? `read ${what} as ${e.declared ?? 'declared'}`
        : `correct the dtype of ${what} of ${printable(context.layer)} in model.json`;
    },
    code: (e, context) =>
      codeOf(
        [
          numpy(
            `${e.of === 'weight' ? 'w' : e.of === 'output' ? 'y' : 'x'} = np.frombuffer(data, np.${e.declared ?? 'uint8'})`,
          ),
          inC(`${e.declared ?? 'uint8'}_t`),
        ],
        () => (e.of === 'weight' && e.read_as ? [modelLine(context, { weight_dtype: e.read_as })] : []),
      )(context),
  },
};

/** Not looked up: a table has no entry for a code that its dtype does not hold. */
function isComputed(study: Study): boolean {
  return !isTensorStudy(study) || study.declared.params.inputs.length > 1;
}

/** Of each input. */
function activationChanges(declared: Setup): Change[] {
  return declared.reads.flatMap((_, input) => {
    const { dtype } = inputOf(declared, input);
    if (dtype !== 'uint8' && dtype !== 'int8') return [];
    return otherReadings(dtype).map(({ map, off }) => ({
      ...change('activation', 'x', dtype, off, (setup) => readAs(setup, map, input)),
      ...(declared.reads.length > 1 && { input }),
    }));
  });
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

function outputChanges({ declared }: Study): Change[] {
  const { output } = declared.params;
  if (!isQuantized(output)) return [];
  const { dtype } = output;
  if (dtype !== 'uint8' && dtype !== 'int8') return [];
  return otherReadings(dtype).map(({ map, off }) =>
    change('output', 'y', dtype, off, (setup) => ({ ...setup, stores: map })),
  );
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
