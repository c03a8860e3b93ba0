/** Systems with U, the upper Cholesky factor of a Gram matrix. */

/** U' v = values. */
export function forward(factor: readonly number[][], values: readonly number[]): number[] {
  const solved: number[] = [];
  values.forEach((value, i) => {
    let sum = value;
    for (let r = 0; r < i; r++) sum -= factor[r][i] * solved[r];
    solved.push(sum / factor[i][i]);
  });
  return solved;
}

/** Entry (i, i) of the inverse of U' U. */
export function inverseDiagonal(factor: readonly number[][], i: number): number {
  const unit = factor.map((_, j) => (j === i ? 1 : 0));
  return forward(factor, unit).reduce((sum, v) => sum + v * v, 0);
}

/** U v = values. */
export function backward(factor: readonly number[][], values: readonly number[]): number[] {
  const solved = [...values];
  for (let i = values.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < values.length; j++) solved[i] -= factor[i][j] * solved[j];
    solved[i] /= factor[i][i];
  }
  return solved;
}
