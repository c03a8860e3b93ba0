/** Options of other tools that people try here, and what is meant. */
import { printable } from '../text.js';

interface Guess {
  readonly flags: readonly string[];
  /** It begins with the option that a command has to have. */
  readonly instead: string;
}

const GUESSES: readonly Guess[] = [
  { flags: ['json', 'as-json'], instead: '--reporter json' },
  { flags: ['format', 'output', 'out', 'report', 'save'], instead: '--reporter json=FILE' },
  { flags: ['html'], instead: '--reporter html=FILE' },
  { flags: ['junit', 'xml', 'junit-xml', 'junitxml'], instead: '--reporter junit=FILE' },
  { flags: ['markdown', 'md'], instead: '--reporter markdown=FILE' },
  {
    flags: ['tolerance', 'tol', 'atol', 'rtol', 'eps', 'epsilon', 'threshold', 'max-diff', 'lsb'],
    instead: '--tol-lsb N',
  },
  { flags: ['golden', 'reference', 'ref', 'mine', 'actual', 'test', 'compare', 'dut'], instead: '--candidate NPZ|DIR' },
  { flags: ['filter', 'only', 'node', 'tensor', 'name', 'include'], instead: '--layer GLOB' },
  { flags: ['limit', 'num-samples', 'batch', 'n'], instead: '--samples N' },
  { flags: ['jobs', 'workers'], instead: '--threads N' },
  { flags: ['strict'], instead: '--require-replayed' },
  { flags: ['backend', 'engine', 'target'], instead: '--kernel NAME' },
  { flags: ['update', 'update-snapshot', 'accept'], instead: '--baseline FILE --update-baseline' },
];

/** A sentence's end, or null where nothing is known of the option. typed: `--json`, or `--json=x`; options: of the command. */
export function instead(typed: string, options: readonly string[]): string | null {
  const flag = typed.replace(/^--?/, '').replace(/=.*$/s, '').toLowerCase();
  const guess = GUESSES.find((own) => own.flags.includes(flag) && options.includes(own.instead.split(' ')[0]));
  if (guess) return `did you mean ${guess.instead}?`;
  return /^-[a-z]{2}/.test(typed) ? `long options begin with two dashes, -${printable(typed)}` : null;
}
