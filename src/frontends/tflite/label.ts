import type { Operator } from '../../load/tflite/model.js';

/** `CONV_2D#3` */
export function labelOf({ name, index }: Operator): string {
  return `${name}#${index}`;
}
