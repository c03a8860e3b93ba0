import type { Fast, Product } from '../../nouns/kernel.js';
import { transposed } from '../../tensor/rows.js';
import type { Cause } from '../cause.js';
import type { SomeChannels } from '../finding/evidence.js';
import { FREEDOM, withParams } from '../setup.js';
import { codeOf, inC, numpy, torch } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'weight-transposed': SomeChannels & { readonly shape?: readonly [number, number] };
  }
}

/** [in, out] in place of [out, in]; only a square matrix gets this far, any other is a load error. */
export const weightTransposed: Cause<'weight-transposed', 'product'> = {
  code: 'weight-transposed',
  kinds: ['product'],
  whose: 'model',

  changes: ({ declared, data: { fast } }) => {
    const { weight } = declared.params;
    const { outputs, inputs } = sidesOf(declared.params);
    if (outputs !== inputs || outputs < 2) return [];
    let exchanged: Int8Array | Int16Array | null = null;
    return [
      {
        cause: 'weight-transposed',
        coordinate: 'weights',
        freedom: FREEDOM.none,
        label: 'transposed',
        apply: (setup) => {
          exchanged ??= transposedOf(weight, inputs, declared.params.inFeatures / inputs, fast);
          return withParams(setup, { weight: exchanged });
        },
      },
    ];
  },

  evidence: ({ study }) => {
    const { outputs, inputs } = sidesOf(study.declared.params);
    return { shape: [outputs, inputs] };
  },

  words: {
    title: 'weight transposed',
    explanation: 'The square weight is used as [in_features, out_features].',
    ofOneLayer: true,
    evidence: (e) => [e.shape ? `weight [${e.shape.join(', ')}]` : null],
    fix: parameterFix(
      (context) => `write ${field(context, 'weight')} as [out_features, in_features]: transpose it`,
      'multiply by the transpose: acc = x @ w.T with w [out_features, in_features]',
    ),
    code: (_, context) =>
      codeOf(
        [
          numpy('acc = x.astype(np.int32) @ w.astype(np.int32).T  # w [out_features, in_features]'),
          inC('acc += x[k] * w[n * IN_FEATURES + k];'),
        ],
        () => [torch('weight = layer.weight().int_repr().t()  # as [out_features, in_features]')],
      )(context),
  },
};

/** Of a tap of one group of a convolution, else of the matrix. */
function sidesOf({ outFeatures, inFeatures, patch }: Product) {
  return patch
    ? { outputs: patch.outChannels, inputs: patch.inChannels }
    : { outputs: outFeatures, inputs: inFeatures };
}

/** [groups, out, taps, in] with out and in exchanged; as many of either. */
function transposedOf(weight: Product['weight'], side: number, taps: number, fast: Fast): Product['weight'] {
  if (taps === 1 && weight instanceof Int8Array)
    return fast?.transposed(weight, side, side) ?? transposed(weight, side, side);
  if (taps === 1) return transposed(weight, side, side);
  const group = side * taps * side;
  return weight.map((_, i) => {
    const [out, tap, within] = [Math.floor(i / (taps * side)) % side, Math.floor(i / side) % taps, i % side];
    return weight[Math.floor(i / group) * group + (within * taps + tap) * side + out];
  });
}
