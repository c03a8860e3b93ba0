import { elementwiseSteps } from '../kernels/kernel.js';
import { kernels } from '../kernels/registry.js';
import { quantizeSteps } from '../kernels/steps/quantize.js';
import type { QuantizeStep } from '../nouns/kernel.js';
import type { QuantParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import { clamp } from '../numeric/integer.js';
import { floor, roundHalfAway, roundHalfEven, roundHalfUp, truncate } from '../numeric/round.js';
import { everything, type Interval, isBounded, isEmpty, narrow, pointsIn, widened } from './estimate/interval.js';
import type { CauseCode } from './evidence.js';
import type { PointwiseCase, PointwiseChange, PointwiseSetup } from './pointwise.js';
import { otherReadings } from './readings.js';
import { FREEDOM } from './setup.js';

/** Parameter-free changes of a pointwise layer, the common ones first. */
export function enumeratedChanges(layer: PointwiseCase): PointwiseChange[] {
  return [
    ...reluChanges(layer),
    ...signednessChanges(layer),
    ...clampChanges(layer),
    ...quantizeChanges(layer),
    ...dequantizeChanges(layer),
  ];
}

/** Changes whose number is found in the data. */
export function estimatedChanges(layer: PointwiseCase, setup: PointwiseSetup): PointwiseChange[] {
  // one estimated number needs three differing values to mean something
  if (layer.mismatched < 3) return [];
  return [
    ...outputScales(layer, setup),
    ...outputZeroPoints(layer, setup),
    ...inputScales(layer, setup),
    ...foundClamps(layer),
  ];
}

function fixed(
  causes: CauseCode | readonly CauseCode[],
  fields: Partial<PointwiseSetup>,
  found?: PointwiseChange['found'],
): PointwiseChange {
  const list = typeof causes === 'string' ? [causes] : causes;
  return {
    causes: list,
    freedom: FREEDOM.none,
    ...(found ? { found } : {}),
    apply: (setup) => ({ ...setup, ...fields }),
  };
}

function reluChanges({ op, output }: PointwiseCase): PointwiseChange[] {
  if (op === 'quantize' || op === 'dequantize') return [];
  if (op === 'identity') return [fixed('capture-after-relu', { relu: 'zero-point' })];
  const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
  const before = fixed('capture-before-relu', { relu: 'none', capped: false });
  return zeroPoint === 0 ? [before] : [fixed('relu-at-zero', { relu: 'zero' }), before];
}

function signednessChanges({ op, input, output }: PointwiseCase): PointwiseChange[] {
  const ofX = op !== 'quantize' && isQuantized(input) ? byteReadings(input, 'activation') : [];
  const ofY = op !== 'dequantize' && isQuantized(output) ? byteReadings(output, 'output') : [];
  return [...ofX, ...ofY];
}

function byteReadings({ dtype }: QuantParams, of: 'activation' | 'output'): PointwiseChange[] {
  if (dtype === 'int32') return [];
  const read_as = dtype === 'uint8' ? 'int8' : 'uint8';
  return otherReadings(dtype).map(({ off, map }) =>
    fixed('signedness', of === 'output' ? { storeY: map } : { readX: map }, {
      of,
      declared: dtype,
      read_as,
      off_by: off,
    }),
  );
}

function clampChanges({ output }: PointwiseCase): PointwiseChange[] {
  if (!isQuantized(output)) return [];
  const ranges =
    output.dtype === 'int8'
      ? [
          [-128, 127],
          [-127, 127],
          [0, 127],
        ]
      : [
          [0, 255],
          [0, 127],
          [1, 255],
        ];
  return ranges.map(([lo, hi]) => clampedTo(output, lo, hi, FREEDOM.none));
}

function foundClamps({ output, y }: PointwiseCase): PointwiseChange[] {
  if (!isQuantized(output) || y.length === 0) return [];
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const value of y) {
    lo = Math.min(lo, value);
    hi = Math.max(hi, value);
  }
  return lo >= hi
    ? []
    : [
        clampedTo(output, output.quantMin, hi, FREEDOM.oneNumber),
        clampedTo(output, lo, output.quantMax, FREEDOM.oneNumber),
      ];
}

function clampedTo(declared: QuantParams, quantMin: number, quantMax: number, freedom: number): PointwiseChange {
  return {
    causes: ['clamp-range'],
    freedom,
    found: { declared: [declared.quantMin, declared.quantMax], found: [quantMin, quantMax] },
    apply: (setup) =>
      isQuantized(setup.output) ? { ...setup, output: { ...setup.output, quantMin, quantMax } } : setup,
  };
}

// ---------------------------------------------------------------- quantize

/** Steps that add the zero point before rounding. */
const OFFSET_FIRST = new Set(['quantizeFma', 'quantizeTwoRoundings', 'quantizeOffsetFirst', 'quantizeOneDnn']);

const RULES: readonly (readonly [CauseCode, (x: number) => number])[] = [
  ['rounding-truncate', truncate],
  ['rounding-floor', floor],
  ['rounding-half-away', roundHalfAway],
  ['rounding-half-up', roundHalfUp],
];

function quantizeChanges({ op, kernel, steps, free }: PointwiseCase): PointwiseChange[] {
  if (op !== 'quantize' || !steps.quantize) return [];
  const declared = steps.quantize;
  const declaredFirst = OFFSET_FIRST.has(declared.name);
  const own = new Set([
    ...kernels
      .filter((k) => k.runtime === kernel.runtime)
      .map((k) => elementwiseSteps(k, 'quantize')?.quantize?.name ?? ''),
    'quantizeTwoRoundings',
    'quantizeZeroPointAfter',
  ]);
  const toEven = quantizeSteps
    .filter(
      (step) => step.name !== declared.name && step.name !== 'quantizeDivisionHalfAway' && (free || own.has(step.name)),
    )
    .map((quantize) => {
      const moved = OFFSET_FIRST.has(quantize.name) !== declaredFirst;
      return fixed(
        moved ? 'zero-point-before-rounding' : 'multiplier-precision',
        { quantize },
        moved ? { order: declaredFirst ? 'after' : 'before' } : { found: quantize.name, declared: declared.name },
      );
    });
  if (!free) return toEven;
  const script = hypothesis('quantizeFloat64', roundHalfEven, false, true);
  const other = RULES.flatMap(([cause, rule]) =>
    [true, false].flatMap((first) =>
      [true, false].map((float64) => {
        const step = hypothesis(`${cause} ${first} ${float64}`, rule, first, float64);
        // with the zero point first, truncating means trunc(v) + zp: one cause, as in kernels
        const causes: CauseCode[] =
          first === declaredFirst || declaredFirst ? [cause] : [cause, 'zero-point-before-rounding'];
        return fixed(causes, { quantize: step });
      }),
    ),
  );
  return [...toEven, fixed('multiplier-precision', { quantize: script }), ...other];
}

/** Of no kernel: nothing prints it. */
function hypothesis(name: string, ...rounding: Parameters<typeof roundedBy>): QuantizeStep {
  return { name, equation: name, prepare: roundedBy(...rounding), numpy: null };
}

function roundedBy(rule: (x: number) => number, first: boolean, float64: boolean): QuantizeStep['prepare'] {
  return ({ scale, zeroPoint, quantMin, quantMax }) =>
    (real) => {
      const steps = float64 ? real / scale : Math.fround(real / Math.fround(scale));
      const code = first ? rule(float64 ? steps + zeroPoint : Math.fround(steps + zeroPoint)) : rule(steps) + zeroPoint;
      return clamp(code, quantMin, quantMax);
    };
}

function outputScales({ op, x, y }: PointwiseCase, { output }: PointwiseSetup): PointwiseChange[] {
  if (op !== 'quantize' || !isQuantized(output)) return [];
  const { zeroPoint, quantMin, quantMax, scale } = output;
  const inverse: Interval = everything();
  for (let i = 0; i < y.length; i++) {
    const q = y[i] - zeroPoint;
    narrow(
      inverse,
      x[i],
      y[i] <= quantMin ? Number.NEGATIVE_INFINITY : q - 0.5,
      y[i] >= quantMax ? Number.POSITIVE_INFINITY : q + 0.5,
    );
  }
  const range = widened(inverse, 2e-7);
  if (isEmpty(range) || !isBounded(range)) return [];
  return pointsIn(range)
    .map((p) => 1 / p)
    .filter((found) => found > 0 && Math.abs(found / scale - 1) > 1e-7)
    .map((found) =>
      withOutput(
        'output-scale-wrong',
        { scale: found },
        { declared: scale, found, interval: [1 / range.hi, 1 / range.lo] },
      ),
    );
}

function outputZeroPoints({ op, x, y }: PointwiseCase, { output }: PointwiseSetup): PointwiseChange[] {
  if (!isQuantized(output) || op === 'identity') return [];
  const { zeroPoint, quantMin, quantMax, scale } = output;
  const candidates =
    op === 'quantize' ? [zeroPoint + medianError(x, y, scale, zeroPoint, quantMin, quantMax)] : [lowest(y, quantMax)];
  return candidates
    .flatMap((zp) => [zp, zp - 1, zp + 1])
    .filter((zp) => zp !== zeroPoint && zp >= quantMin && zp <= quantMax)
    .map((found) => withOutput('output-zero-point-wrong', { zeroPoint: found }, { declared: zeroPoint, found }));
}

function lowest(values: ArrayLike<number>, most: number): number {
  let lo = most;
  for (let i = 0; i < values.length; i++) lo = Math.min(lo, values[i]);
  return lo;
}

function medianError(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  scale: number,
  zeroPoint: number,
  lo: number,
  hi: number,
): number {
  const errors: number[] = [];
  for (let i = 0; i < y.length; i++) if (y[i] > lo && y[i] < hi) errors.push(y[i] - zeroPoint - x[i] / scale);
  errors.sort((a, b) => a - b);
  return errors.length === 0 ? 0 : floor(errors[floor(errors.length / 2)] + 0.5);
}

function withOutput(cause: CauseCode, params: Partial<QuantParams>, found: PointwiseChange['found']): PointwiseChange {
  return {
    causes: [cause],
    freedom: FREEDOM.oneNumber,
    found,
    apply: (setup) => (isQuantized(setup.output) ? { ...setup, output: { ...setup.output, ...params } } : setup),
  };
}

// ---------------------------------------------------------------- dequantize

function dequantizeChanges({ op, input, free }: PointwiseCase): PointwiseChange[] {
  if (op !== 'dequantize' || !isQuantized(input)) return [];
  const missing =
    input.zeroPoint === 0
      ? []
      : [
          fixed(
            'activation-zero-point-missing',
            { input: { ...input, zeroPoint: 0 } },
            { zero_point: input.zeroPoint },
          ),
        ];
  return free ? [...missing, fixed('multiplier-precision', { float64: true })] : missing;
}

function inputScales({ op, x, y }: PointwiseCase, { input }: PointwiseSetup): PointwiseChange[] {
  if (op !== 'dequantize' || !isQuantized(input)) return [];
  const { zeroPoint, scale } = input;
  const range: Interval = everything();
  for (let i = 0; i < y.length; i++) {
    const slack = Math.abs(y[i]) * 2 ** -23;
    narrow(range, x[i] - zeroPoint, y[i] - slack, y[i] + slack);
  }
  if (isEmpty(range) || !isBounded(range)) return [];
  return [Math.fround((range.lo + range.hi) / 2), ...pointsIn(range)]
    .filter((found) => found > 0 && Math.abs(found / scale - 1) > 1e-7)
    .map((found) => ({
      causes: ['input-scale-wrong'],
      freedom: FREEDOM.oneNumber,
      found: { declared: scale, found, interval: [range.lo, range.hi] },
      apply: (setup) => (isQuantized(setup.input) ? { ...setup, input: { ...setup.input, scale: found } } : setup),
    }));
}
