/** How sums are made, where the accelerator knows it. */

/** Exact sums; or sums of pairs of neighbours that saturate at int16, of codes + codeShift, restarting every blockLength of k. */
export interface AccumulateForm {
  readonly pairs: { readonly codeShift: number; readonly blockLength: number } | null;
}

/** Of each product (it + up, and inward more below zero) >> bits; after each, the sum within [least, most]. start: of each channel. */
export interface LossyForm extends Record<'bits' | 'up' | 'inward' | 'least' | 'most', number> {
  readonly start: Int32Array | null;
}
