/** The value that sorting would put at place n, by parting the list again and again; the list is left in another order. */
export function nthOf(values: Float64Array, n: number): number {
  for (let [first, last] = [0, values.length - 1]; first < last; ) {
    const pivot = values[(first + last) >>> 1];
    let [left, right] = [first, last];
    while (left <= right) {
      while (values[left] < pivot) left++;
      while (values[right] > pivot) right--;
      if (left > right) break;
      const swapped = values[left];
      values[left++] = values[right];
      values[right--] = swapped;
    }
    if (n <= right) last = right;
    else if (n >= left) first = left;
    else break;
  }
  return values[n];
}
