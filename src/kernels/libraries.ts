/** Facts of a library that all of its kernels share. */
import type { Library } from '../nouns/library.js';
import { fbgemmPathOf } from './steps/fbgemmConvolution.js';

export const fbgemmLibrary: Library = {
  exactOn: 'AVX512-VNNI',
  defaultRange: '0..127, the default of the x86 and fbgemm qconfigs',
  // the dispatch of engine x86, and that of the groupwise kernel, look at the CPU alone
  confirmedConvolutions:
    ', under engine fbgemm, except where its groupwise kernel runs (3x3, padding 1, 2 to 16 channels a group, as many out as in)',
  saturatesIn(patch) {
    const path = fbgemmPathOf(patch);
    return path === 'others' ? null : path;
  },
};

export const oneDnnLibrary: Library = {
  defaultRange: '0..127, which the default onednn qconfig does not',
  limits: ['weight zero points'],
};

/** Of older PyTorch releases. */
export const qnnpackLibrary: Library = { limits: ['multipliers from 1 on'] };

export const xnnpackLibrary: Library = { limits: ['multipliers beyond 2^-32..256', 'weight zero points, ignored'] };

/** TFLite's specification, which CMSIS-NN follows. */
export const tfliteLibrary: Library = { limits: ['weight zero points of channels'] };
