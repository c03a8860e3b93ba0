/** RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR of TFLite's runtimes in C: positions and weights are tables. */
import { gridOf, isNearest, resizePlaces } from '../../kernels/steps/tflite/resize.js';
import { paramsOf, type Writer } from './writer.js';

const BLENDS = {
  integers: [
    '  int64_t both = p00 * (1024 - wy) * (1024 - wx) + p10 * wy * (1024 - wx) + p01 * (1024 - wy) * wx + p11 * wy * wx;',
    '  code = (both + (both > 0 ? 524288 : -524288)) / 1048576;',
  ],
  xnnpack: [
    '  int64_t top = p00 * 2048 + (p01 - p00) * wx, bottom = p10 * 2048 + (p11 - p10) * wx;',
    '  code = floor_shift(top * 2048 + (bottom - top) * wy + 2097152, 22);',
  ],
} as const;

/** uint8 outside XNNPACK blends in float32: not written. */
export const resizeInC =
  (form: keyof typeof BLENDS): Writer =>
  (call) => {
    const [input, output] = paramsOf(call);
    if (form === 'integers' && input.dtype === 'uint8' && !isNearest(call)) return null;
    const [from, to] = [gridOf(call.inputs[0].shape), gridOf(call.output.shape)];
    const isLast = call.output.shape.channelAxis === call.output.shape.dims.length - 1;
    const { down, across } = resizePlaces(call, form);
    const place = isLast
      ? [`c = i % ${to.channels}`, `x = i / ${to.channels} % ${to.columns}`, `y = i / ${to.channels * to.columns}`]
      : [`x = i % ${to.columns}`, `y = i / ${to.columns} % ${to.rows}`, `c = i / ${to.columns * to.rows}`];
    const at = (id: string, row: string, column: string) => {
      const [y, x] = [`${id}_${row}[y]`, `${id}_${column}[x]`];
      return isLast
        ? `x0[(${y} * ${from.columns} + ${x}) * ${from.channels} + c]`
        : `x0[(c * ${from.rows} + ${y}) * ${from.columns} + ${x}]`;
    };
    const low = (id: string) => `  int ${place.join(', ')};\n  int64_t p00 = ${at(id, 'top', 'left')}`;
    return {
      arrays: [
        { name: 'top', values: down.map((one) => one.low) },
        { name: 'left', values: across.map((one) => one.low) },
        ...(isNearest(call)
          ? []
          : [
              { name: 'bottom', values: down.map((one) => one.high) },
              { name: 'right', values: across.map((one) => one.high) },
              { name: 'weight_y', values: down.map((one) => one.weight) },
              { name: 'weight_x', values: across.map((one) => one.weight) },
            ]),
      ],
      lines: (id) =>
        isNearest(call)
          ? [`${low(id)};`, '  code = p00;']
          : [
              `${low(id)}, p01 = ${at(id, 'top', 'right')};`,
              `  int64_t p10 = ${at(id, 'bottom', 'left')}, p11 = ${at(id, 'bottom', 'right')};`,
              `  int64_t wy = ${id}_weight_y[y], wx = ${id}_weight_x[x];`,
              ...BLENDS[form],
            ],
      clamp: [output.quantMin, output.quantMax],
    };
  };
