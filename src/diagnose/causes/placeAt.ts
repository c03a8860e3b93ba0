import type { Study } from '../study/study.js';

/** Of a value of the subset: its sample in the capture, and its channel. */
export function placeAt({ subset, channels }: Pick<Study, 'subset' | 'channels'>, i: number) {
  return { sample: subset.samples[Math.floor(i / channels)], channel: i % channels };
}
