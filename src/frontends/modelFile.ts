import type { ArrayFile } from '../nouns/array.js';
import type { Producer } from '../nouns/model.js';
import type { Warning } from '../nouns/problem.js';

/** A file in model.json's place, in model.json's words. */
export interface ModelFile {
  /** As JSON would give it. */
  readonly raw: unknown;
  /** The numbers that it names by {"array": KEY}; closing them closes the file. */
  readonly arrays: ArrayFile;
  /** What it holds and model.json has no words for. */
  readonly warnings?: readonly Warning[];
}

/** What ran a graph, and which of its values were taken: both decide what some runtimes make of it. */
export interface RanBy extends Producer {
  /** Their shapes. */
  readonly captured?: ReadonlyMap<string, readonly number[]>;
}
