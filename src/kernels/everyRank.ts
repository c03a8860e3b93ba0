/** The same for one, two and three axes of places: `avg_pool1d` to `avg_pool3d`, `conv1d_float` to `conv3d_float`. */
export function everyRank<S>(name: string, steps: S, ending = ''): Record<string, S> {
  return Object.fromEntries([1, 2, 3].map((axes) => [`${name}${axes}d${ending}`, steps]));
}
