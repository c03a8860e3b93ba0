/** ONNX Runtime's sigmoid and tanh of float32: quotients of polynomials. Source: mlas/lib/logistic.cpp, tanh.cpp (the coefficients are Eigen's). */
import { f32, fma32 } from './float.js';
import { clamp } from './integer.js';

/** Highest power first, of x * x. */
const LOGISTIC = {
  above: [4.37031012579801e-11, 1.15627324459942e-7, 6.08574864600143e-5, 8.51377133304701e-3, 2.48287947061529e-1].map(
    f32,
  ),
  below: [
    6.10247389755681e-13, 5.76102136993427e-9, 6.2910678501704e-6, 1.70198817374094e-3, 1.16817656904453e-1,
    9.9315192102318e-1,
  ].map(f32),
};
const TANH = {
  above: [
    -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
    6.37261928875436e-4, 4.89352455891786e-3,
  ].map(f32),
  below: [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3].map(f32),
};

/** A step of Horner's rule: in one rounding where the CPU has FMA. */
type Horner = (sum: number, x: number, next: number) => number;
const fused: Horner = fma32;
const inTwo: Horner = (sum, x, next) => f32(next + f32(sum * x));

function ratio(given: number, bound: number, { above, below }: typeof TANH, step: Horner): number {
  const x = clamp(given, -bound, bound);
  const square = f32(x * x);
  return f32(f32(polynomial(square, above, step) * x) / polynomial(square, below, step));
}

function polynomial(x: number, coefficients: readonly number[], step: Horner): number {
  let sum = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) sum = step(sum, x, coefficients[i]);
  return sum;
}

/** 1 / (1 + exp(-x)), x float32. hasFma: of the CPU. */
export function mlasLogistic(x: number, hasFma = true): number {
  const y = f32(ratio(x, 18, LOGISTIC, hasFma ? fused : inTwo) + 0.5);
  return hasFma ? Math.max(0, y) : y;
}

/** tanh(x), x float32. */
export function mlasTanh(x: number, hasFma = true): number {
  return ratio(x, 9, TANH, hasFma ? fused : inTwo);
}
