import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** What multiplies bytes faster than SSE can, by the names Linux has for it. */
const INSTRUCTIONS = ['avx2', 'avx_vnni', 'avx512_vnni', 'amx_int8', 'asimddp', 'i8mm'];

/** Which machine figures are from: model, instructions that matter here, memory. */
export function machine(): string {
  const [{ model }] = cpus();
  const { family, number, flags } = processor();
  const has = INSTRUCTIONS.filter((name) => flags.has(name));
  return [
    `${cpus().length} cores ${model.trim()}`,
    ...(family ? [`family ${family} model ${number}`] : []),
    has.length > 0 ? has.join(' ') : 'no VNNI, no AMX',
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
  ].join(', ');
}

function processor(): { family?: string; number?: string; flags: ReadonlySet<string> } {
  let text: string;
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return { flags: new Set() }; // not Linux
  }
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1];
  const flags = new Set((field('flags') ?? field('Features') ?? '').split(' '));
  return { family: field('cpu family'), number: field('model'), flags };
}
