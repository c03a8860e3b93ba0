export function countWhere(values: ArrayLike<number>, test: (value: number, i: number) => boolean): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (test(values[i], i)) count++;
  return count;
}
