/** What two models say differently of a value. */
import type { ModelDifference } from '../../nouns/report.js';
import { isQuantized, type QuantParams, type ValueParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';

/** Of one layer. */
export type Found = Omit<ModelDifference, 'layer' | 'candidate_layer'>;

export function whole(field: string, expected: Found['expected'], actual: Found['actual']): Found[] {
  const isSame = JSON.stringify(expected) === JSON.stringify(actual);
  return isSame || expected === null || actual === null ? [] : [{ field, channel: null, expected, actual }];
}

/** uint8 codes of one zero point are int8 ones of another, 128 below: no difference. */
export function ofValue(own: ValueParams, other: ValueParams): Found[] {
  if (!isQuantized(own) || !isQuantized(other)) return whole('dtype', own.dtype, other.dtype);
  if (own.dtype === other.dtype || isShifted(own, other)) {
    return [
      ...(f32(own.scale) === f32(other.scale) ? [] : whole('scale', own.scale, other.scale)),
      ...(offset(own) === offset(other) ? [] : whole('zero_point', own.zeroPoint, other.zeroPoint)),
      ...(own.dtype === other.dtype
        ? [...whole('quant_min', own.quantMin, other.quantMin), ...whole('quant_max', own.quantMax, other.quantMax)]
        : []),
    ];
  }
  return [
    ...whole('dtype', own.dtype, other.dtype),
    ...(f32(own.scale) === f32(other.scale) ? [] : whole('scale', own.scale, other.scale)),
  ];
}

function isShifted(a: QuantParams, b: QuantParams): boolean {
  return [a, b].every(({ dtype }) => dtype === 'uint8' || dtype === 'int8');
}

/** From the lowest code of the type. */
function offset({ dtype, zeroPoint }: QuantParams): number {
  return dtype === 'int8' ? zeroPoint + 128 : zeroPoint;
}
