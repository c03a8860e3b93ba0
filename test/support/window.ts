/** A window as most convolutions have it: 3x3, padding 1. */
export const WINDOW_3X3 = {
  kernel: [3, 3],
  stride: [1, 1],
  padding: [
    [1, 1],
    [1, 1],
  ],
  dilation: [1, 1],
  transposed: null,
};
