/** Options of an npy file, to write what numpy would and what it never would. */
export interface NpyOptions {
  readonly fortranOrder?: boolean;
  readonly bigEndian?: boolean;
  readonly version?: 1 | 2 | 3;
  /** Replaces the header's text. */
  readonly header?: string;
}
declare const WRITERS: {
  bool: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number) => void;
  };
  int8: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number) => void;
  };
  uint8: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number) => void;
  };
  int16: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
  uint16: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
  int32: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
  uint32: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
  int64: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
  uint64: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
  /** Values are the 16 bits. */
  float16: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
  float32: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
  float64: {
    code: string;
    bytes: number;
    write: (view: DataView<ArrayBufferLike>, at: number, v: number, le: boolean) => void;
  };
};
export type NpyDtype = keyof typeof WRITERS;
/** An npy file of values given in C order. */
export declare function npy(
  dtype: NpyDtype,
  shape: readonly number[],
  values: Iterable<number>,
  options?: NpyOptions,
): Buffer;
/** Preamble and header, padded to 64 bytes. */
export declare function npyHeader(dict: string, version?: number): Buffer;
export interface ZipMemberOptions {
  readonly deflate?: boolean;
  readonly zip64?: boolean;
  readonly encrypted?: boolean;
  readonly method?: number;
  /** What the directory claims instead of the truth. */
  readonly crc?: number;
  readonly size?: number;
}
export type ZipMemberSpec = readonly [name: string, data: Uint8Array, options?: ZipMemberOptions];
/** A zip file of members in order; with `zip64`, the end records of Zip64 too. */
export declare function zip(
  members: readonly ZipMemberSpec[],
  options?: {
    zip64?: boolean;
  },
): Buffer;
/** An npz file of arrays by key. */
export declare function npz(arrays: Readonly<Record<string, Uint8Array>>, options?: ZipMemberOptions): Buffer;
