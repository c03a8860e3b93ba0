import type { Product } from '../../nouns/kernel.js';

/** ONNX Runtime's u8 * u8 and s8 * s8 are exact. Where nothing is said of it, int8 codes run as uint8. */
export function saturatesOnX86({ weightDtype, ranAs }: Product): boolean {
  return ranAs ? ranAs.codes === 'uint8' && ranAs.weights === 'int8' : weightDtype !== 'uint8';
}
