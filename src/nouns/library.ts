import type { PlacedPatch } from './window.js';

/** What a library does not take, as it is: refused, or computed as if it were not there. */
export type Limit =
  | 'weight zero points'
  | 'weight zero points of channels'
  | 'weight zero points, ignored'
  | 'multipliers beyond 2^-32..256'
  | 'multipliers from 1 on';

/** What is true of a kernel's library, whatever the CPU. */
export interface Library {
  /** The feature of x86 CPUs with which its sums are exact; absent: VNNI. */
  readonly exactOn?: string;
  /** What the default qconfig of its engine makes of activations; fits "reduce_range=True (...)". */
  readonly defaultRange?: string;
  readonly limits?: readonly Limit[];
  /** Of which convolutions the variable that confirms its kernels is true; follows that sentence. */
  readonly confirmedConvolutions?: string;
  /** The kernel of its own that a geometry runs in, where that saturates whatever the CPU. */
  saturatesIn?(patch: PlacedPatch): 'depthwise' | 'direct' | null;
}
