import type { Progress } from '../compare/options.js';
import type { Io } from '../nouns/io.js';
import { progressLine } from '../report/terminal/progress.js';
import { hasUnicode } from './output.js';

/** Work shorter than this shows nothing. */
const QUIET_MS = 1000;
const REFRESH_MS = 100;

/** A line on standard error that rewrites itself, on a terminal and for long work only. */
export function progressOn(io: Io): { show?: (progress: Progress) => void; clear: () => void } {
  if (!io.stderr.isTTY || io.env.TERM === 'dumb') return { clear: () => {} };
  const started = io.now();
  let last = started + QUIET_MS - REFRESH_MS;
  let shown = false;
  return {
    show: (progress) => {
      const now = io.now();
      if (now - last < REFRESH_MS) return;
      last = now;
      shown = true;
      const look = { width: io.stderr.columns || 80, unicode: hasUnicode(io) };
      io.stderr.write(`\r${progressLine({ ...progress, elapsedMs: now - started }, look)}`);
    },
    clear: () => {
      if (shown) io.stderr.write('\r\x1b[K');
    },
  };
}
