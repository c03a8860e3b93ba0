/** The colours that a terminal's text has; each paints one line, which may hold painted parts. */
import type { Paint } from './columns.js';

export type Ink = Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', Paint>>;

const plain: Paint = (text) => text;

/** Files and pipes: without chalk, which takes 2 to 4 ms of a start. */
export const NO_INK: Ink = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };
