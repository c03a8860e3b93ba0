/** Arrays of numbers, in memory and in files. */

export type NumericArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** By names of qdiff's own. */
export type NamedArrays = Readonly<Record<string, NumericArray>>;

/** Dtypes that an npy file may hold, by numpy's names. */
export type StoredDtype =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'bool';

/** Row-major matrix; a row is a sample (activations) or an output channel (weights). */
export interface Matrix<A extends NumericArray = NumericArray> {
  readonly rows: number;
  readonly cols: number;
  readonly data: A;
}

/** One array of an npz or of a folder of npy files: its header is known, its numbers are not in memory yet. */
export interface ArraySource {
  readonly key: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  /** How the file lays it out; reads are in C order either way. */
  readonly fortranOrder?: boolean;
  /**
   * Rows [from, to) along the first axis, flattened in C order and native byte order (a 0-d array has one row).
   * int64 and uint64 come as Float64Array, float16 as Float32Array, bool as Uint8Array.
   * Throws InputError: truncated data, bad CRC, an integer beyond 2^53.
   */
  read(fromRow?: number, toRow?: number): Promise<NumericArray>;
  /** What a whole read has given is read by nobody any more: its memory may hold another array's numbers next. */
  release?(numbers: NumericArray): void;
}

/** The arrays of one npz file or folder by key. Keys are data from a file: a Map, never a plain object. */
export interface ArrayFile {
  readonly path: string;
  /** Of the file; absent of a folder. */
  readonly bytes?: number | undefined;
  readonly arrays: ReadonlyMap<string, ArraySource>;
  /** Keys of arrays that were left out, since they are as qdiff wrote them beside others that are not. */
  readonly untouched?: readonly string[];
  /** Golden vectors as qdiff wrote them, to the last file: what they are compared with has nobody else's result in it. */
  readonly isGoldens?: boolean;
  /** Files that are of no value, of a folder without a manifest. */
  readonly ignored?: readonly string[];
  close(): Promise<void>;
}
