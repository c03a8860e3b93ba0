import type { CodeMap } from '../setup.js';

/** How a byte of one signedness is read as the other: reinterpreted (off by 256 from 128 up), or shifted by 128. */
export function otherReadings(dtype: 'uint8' | 'int8'): readonly { readonly off: 128 | 256; readonly map: CodeMap }[] {
  return dtype === 'uint8'
    ? [
        { off: 256, map: { name: 'u8 as s8', apply: toSigned, back: toUnsigned } },
        { off: 128, map: { name: 'u8 - 128', apply: (code) => code - 128, back: (code) => code + 128 } },
      ]
    : [
        { off: 256, map: { name: 's8 as u8', apply: toUnsigned, back: toSigned } },
        { off: 128, map: { name: 's8 + 128', apply: (code) => code + 128, back: (code) => code - 128 } },
      ];
}

/** Shifted by 128 into the other dtype, and the bytes of that read as the first: a top bit that is flipped. */
export const TOP_BIT: Readonly<Record<'uint8' | 'int8', CodeMap>> = {
  uint8: itsOwnInverse('u8 xor 128', (code) => code ^ 128),
  int8: itsOwnInverse('s8 xor 128', (code) => (code < 0 ? code + 128 : code - 128)),
};

function itsOwnInverse(name: string, apply: CodeMap['apply']): CodeMap {
  return { name, apply, back: apply };
}

const toSigned = (code: number) => (code > 127 ? code - 256 : code);
const toUnsigned = (code: number) => (code < 0 ? code + 256 : code);
