/** The table of constants as a C header. */
import type { TableChannel, TableDocument, TableLayer } from '../../documents/table.js';
import { nineDigits } from '../../text.js';
import { identifiers } from './goldenC.js';
import { commented, numberArray, type Put, plainArray } from './goldenText.js';

export function constantsC(document: TableDocument): string {
  const names = identifiers(document.layers.map(({ name }) => name));
  const lines = [
    `/* Constants of kernel ${commented(document.kernel)}: multiplier_int32 * 2^(shift - 31), or multiplier_float32, takes accumulators to steps of the output. */`,
    '#ifndef QDIFF_TABLE_H',
    '#define QDIFF_TABLE_H',
    '#include <stdint.h>',
    '',
    ...document.layers.flatMap((layer) => [...layerC(layer, names.get(layer.name)!), '']),
    ...document.skipped.map(({ layer, why }) => `/* ${commented(`${layer} is not in it: ${why}`)} */`),
    '#endif',
  ];
  return `${lines.join('\n')}\n`;
}

/** Of arrays that are not int32. */
const TYPES: Partial<Record<keyof TableChannel, string>> = { shift: 'int8_t', bias_int64: 'int64_t' };

function layerC({ name, op, kernel, equation, clamp, channels, ...others }: TableLayer, id: string): string[] {
  const constant = (field: string, value: number | null | undefined) =>
    value === null || value === undefined ? [] : [`#define ${id.toUpperCase()}_${field} (${value})`];
  const integers = (field: 'weight_zero_point' | 'multiplier_int32' | 'shift' | 'bias_int32' | 'bias_int64') =>
    array(channels, field, (values, put) => plainArray(TYPES[field] ?? 'int32_t', `${id}_${field}`, values, put));
  const floats = (field: 'multiplier_float32' | 'bias_float32') =>
    array(channels, field, (values, put) =>
      numberArray('float', `${id}_${field}`, values.length, (i) => float32Literal(values[i]), put),
    );
  return [
    `/* ${commented(name)}: ${commented(op)}, ${commented(kernel)}: ${commented(equation)} */`,
    ...constant('OUT_FEATURES', channels.length),
    ...constant('INPUT_ZERO_POINT', others.input_zero_point),
    ...constant('ADDEND_ZERO_POINT', others.addend_zero_point),
    ...(others.addend_multiplier_float32 === undefined
      ? []
      : [
          `#define ${id.toUpperCase()}_ADDEND_MULTIPLIER_FLOAT32 (${float32Literal(others.addend_multiplier_float32)})`,
        ]),
    ...constant('OUTPUT_ZERO_POINT', others.output_zero_point),
    ...constant('CLAMP_MIN', clamp?.[0]),
    ...constant('CLAMP_MAX', clamp?.[1]),
    ...integers('weight_zero_point'),
    ...integers('multiplier_int32'),
    ...integers('shift'),
    ...floats('multiplier_float32'),
    ...integers('bias_int32'),
    ...integers('bias_int64'),
    ...floats('bias_float32'),
  ];
}

/** An array of a field that every channel has; nothing otherwise. */
function array(
  channels: readonly TableChannel[],
  field: keyof TableChannel,
  write: (values: number[], put: Put) => void,
): string[] {
  const values = channels.flatMap((channel) => channel[field] ?? []);
  if (values.length !== channels.length) return [];
  const pieces: string[] = [];
  write(values, (piece) => pieces.push(piece));
  return [pieces.join('').trimEnd()];
}

/** Nine digits give the same float32 back; a C literal of type float has a point or an exponent. */
export function float32Literal(value: number): string {
  const text = nineDigits(value);
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}
