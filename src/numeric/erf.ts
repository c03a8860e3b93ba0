const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/** The error function to about 1e-15: its series of positive terms, exp(-x^2) * sum of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)). */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const magnitude = Math.abs(x);
  if (magnitude > 6) return Math.sign(x); // 1 - erf(6) is 2e-17
  let term = magnitude;
  let sum = 0;
  for (let n = 1; sum + term !== sum; n++) {
    sum += term;
    term *= (2 * magnitude * magnitude) / (2 * n + 1);
  }
  return Math.sign(x) * TWO_OVER_SQRT_PI * Math.exp(-magnitude * magnitude) * sum;
}
