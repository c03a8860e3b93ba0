import type { Fast, Product } from '../../nouns/kernel.js';
import { transposed } from '../../tensor/rows.js';
import type { Cause } from '../cause.js';
import type { SomeChannels } from '../finding/evidence.js';
import { floatProductOf, isFloatProduct, tableChange } from '../orders/floatOrders.js';
import { type Change, FREEDOM, type ProductSetup, type SetupOf, type TensorChange, withParams } from '../setup.js';
import { isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import { codeOf, inC, numpy, torch } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'weight-transposed': SomeChannels & {
      readonly shape?: readonly [number, number] /** Floats are multiplied. */;
      readonly floats?: true;
    };
  }
}

/** [in, out] in place of [out, in]; only a square matrix gets this far, any other is a load error. */
export const weightTransposed: Cause<'weight-transposed', Kinds> = {
  code: 'weight-transposed',
  kinds: ['product', 'tensor'],
  needs: [(study) => !isTensorStudy(study) || isFloatProduct(study)],
  whose: 'model',

  changes: (study): Own[] => {
    if (isTensorStudy(study as Study)) return ofFloats(study as TensorStudy) as Own[];
    const { declared, data } = study as ProductStudy;
    const { fast } = data;
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
        apply: (setup: ProductSetup) => {
          exchanged ??= transposedOf(weight, inputs, declared.params.inFeatures / inputs, fast);
          return withParams(setup, { weight: exchanged });
        },
      },
    ] as Own[];
  },

  evidence: ({ study, change }) => {
    if (change.found) return {};
    const { outputs, inputs } = sidesOf((study as ProductStudy).declared.params);
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
    code: (e, context) =>
      e.floats
        ? [numpy('y = x @ weight.T  # weight [out_features, in_features]; and the bias')]
        : codeOf(
            [
              numpy('acc = x.astype(np.int32) @ w.astype(np.int32).T  # w [out_features, in_features]'),
              inC('acc += x[k] * w[n * IN_FEATURES + k];'),
            ],
            () => [torch('weight = layer.weight().int_repr().t()  # as [out_features, in_features]')],
          )(context),
  },
};

type Kinds = 'product' | 'tensor';
type Own = Change<SetupOf<Kinds>>;

function ofFloats(study: TensorStudy): TensorChange[] {
  const own = floatProductOf(study);
  if (!own || own.window || own.weights !== own.outFeatures ** 2 || own.outFeatures < 2) return [];
  const side = own.outFeatures;
  const from = (i: number) => (i % side) * side + Math.floor(i / side);
  return [tableChange('weight-transposed', 'transposed', from, { shape: [side, side], floats: true })];
}

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
