/** What was captured of a model's values. */
import type { NumericArray, StoredDtype } from './array.js';
import type { Warning } from './problem.js';

/** One captured or candidate value: [samples, features]. */
export interface CapturedValue {
  readonly samples: number;
  readonly features: number;
  readonly dtype: StoredDtype;
  /** Rows [from, to): row-major [to - from, features]. */
  read(fromSample: number, toSample: number): Promise<NumericArray>;
}

/** Values by name; also `NAME.input` and `NAME.accumulator`. */
export interface Capture {
  readonly path: string;
  readonly samples: number;
  readonly values: ReadonlyMap<string, CapturedValue>;
  /** How many samples each call had; sums to `samples`. */
  readonly batchSizes: readonly number[];
  readonly warnings: readonly Warning[];
}
