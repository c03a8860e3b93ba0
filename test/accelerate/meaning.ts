import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { compile, RELAXED, sourcesOf } from '../../src/accelerate/assembly/compile.js';

const sources = sourcesOf(fileURLToPath(new URL('../../src/accelerate/assembly/kernels.ts', import.meta.url)));
const PART = 'kernels/byteSums.ts';
const source = sources.get(PART)!;
const INSTRUCTION = 'i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, acc)';
const VERDICT = 'return !v128.any_true(wrong);';

/** The exact one, which some engines have. */
export const EXACT = 'dotBytes(w, x, acc, 0)';

/** The module with another meaning of the relaxed instruction, as another engine may have it; base64. */
export async function moduleWith(meaning: string, more = '', verdict = VERDICT): Promise<string> {
  expect(source.split(INSTRUCTION).length).toBe(2);
  expect(source.split(VERDICT).length).toBe(2);
  const text = source.replace(INSTRUCTION, meaning).replace(VERDICT, verdict);
  return Buffer.from(await compile(new Map([...sources, [PART, text + more]]), RELAXED)).toString('base64');
}
