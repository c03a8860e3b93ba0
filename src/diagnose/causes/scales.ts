/** float32 noise, not another scale. */
export function isNoise(found: number, declared: number): boolean {
  return Math.abs(found / declared - 1) <= 1e-7;
}
