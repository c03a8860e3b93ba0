import { clamp } from '../numeric/integer.js';

/** What padding reads. */
export type Mode = 'constant' | 'reflect' | 'replicate' | 'circular' | 'symmetric';

/** Where a place beside its axis is read from, 0..last; -1: the fill. */
export const BESIDE: Readonly<Record<Mode, (own: number, last: number) => number>> = {
  constant: (own, last) => (own < 0 || own > last ? -1 : own),
  reflect: (own, last) => last - Math.abs(last - Math.abs(own)),
  symmetric: (own, last) => (own < 0 ? -1 - own : own > last ? 2 * last + 1 - own : own),
  replicate: (own, last) => clamp(own, 0, last),
  circular: (own, last) => (own + last + 1) % (last + 1),
};
