import type { Io, OutputStream } from '../nouns/io.js';

const DEFAULT = 80;
const [LEAST, MOST] = [20, 1000];

/** Columns to write for: what COLUMNS asks for, else the terminal's; 80 where there is none, or one that does not know (0). */
export function columnsOf({ env, stdout }: Pick<Io, 'env' | 'stdout'>, stream: OutputStream | null = stdout): number {
  const asked = /^\d{1,4}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : 0;
  if (asked >= LEAST && asked <= MOST) return asked;
  return stream?.isTTY ? stream.columns || DEFAULT : DEFAULT;
}
