import { downward, halfThenDownward, halfThenTowardZero, towardZero, upward } from '../../kernels/steps/round.js';

/** How far below and above the rounded q a real value can be. */
export function roundingReach(rule: string, q: number): readonly [number, number] {
  if (rule === downward.name) return [0, 1];
  if (rule === upward.name) return [1, 0];
  if (rule === towardZero.name) return q > 0 ? [0, 1] : q < 0 ? [1, 0] : [1, 1];
  if (rule === halfThenTowardZero.name) return q > 0 ? [0.5, 0.5] : q < 0 ? [1.5, -0.5] : [1.5, 0.5];
  if (rule === halfThenDownward.name) return q > 0 ? [0.5, 0.5] : q < 0 ? [-0.5, 1.5] : [0, 0.5];
  return [0.5, 0.5];
}
