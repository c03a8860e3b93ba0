import type { Product } from '../../nouns/kernel.js';
import { emptyLike } from '../../numeric/array.js';
import { sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import { isConvolution, madeOnce, patchOf, readOtherwise } from '../alternatives/geometry.js';
import { heldOperands, TWICE } from '../alternatives/heldOperands.js';
import type { Cause } from '../cause.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { floatOrders, isFloatProduct } from '../orders/floatOrders.js';
import { allOrders, channelOrders, commonOrders, LEFT_OUT, matrixOrders, someOrders } from '../orders/matrixOrders.js';
import { fileOrders, otherOrders, type WeightOrder } from '../orders/memoryOrders.js';
import { mirroredImages, movedImages } from '../orders/movedImages.js';
import { REVERSED, tapOrders } from '../orders/tapOrders.js';
import {
  type Change,
  FREEDOM,
  type ProductChange,
  type ProductSetup,
  type SetupOf,
  type TensorChange,
  withParams,
} from '../setup.js';
import { isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import type { FixContext, Snippet } from '../words/causeWords.js';
import { codeOf, inC, numpy, rtl } from '../words/code.js';
import { fileOf } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** The order, as a rule a person would write. */
    'k-order': SomeChannels & {
      readonly of?: 'weights' | 'input';
      readonly order?: string;
      /** Of a layer without positions: a row of weights a channel, a value a weight. */
      readonly matrix?: true;
      /** Floats are multiplied. */
      readonly floats?: true;
      /** Of a transposed convolution. */
      readonly transposed?: true;
      /** Of images of three channels. */
      readonly colours?: true;
      /** Not its layout: where its rows and columns are. */
      readonly image?: 'mirrored' | 'moved';
    };
  }
}

/** Weights or inputs taken in another order along k, the same for all channels: of a convolution by taps, channels or memory layout. */
export const kOrder: Cause<'k-order', Kinds> = {
  code: 'k-order',
  kinds: ['product', 'tensor'],
  needs: [(study) => !isTensorStudy(study) || isFloatProduct(study)],
  whose: 'model',
  parameterFree: true,

  changes: (study): Change<SetupOf<Kinds>>[] => {
    const own = ofProduct(study);
    if (!own) return ofAll(floatOrders(study as TensorStudy));
    return ofAll(isConvolution(own) ? [] : commonOrders(own));
  },

  estimate: (study, base) => {
    const own = ofProduct(study);
    return own ? ofAll(estimated(own, base as ProductSetup)) : [];
  },

  forms: (study) => {
    const own = ofProduct(study);
    if (!own) return [];
    return ofAll(isConvolution(own) ? [...imagesAndTaps(own, own.declared), ...someOrders(own)] : allOrders(own));
  },

  evidence: ({ study, change }) => {
    const own = ofProduct(study);
    if (!own || !isConvolution(own)) return {};
    const { window, inChannels } = patchOf(own.declared);
    const isReversed = (change.found as CauseEvidence['k-order'] | undefined)?.order === REVERSED;
    return {
      ...(window.transposed && { transposed: true as const }),
      ...(isReversed && inChannels === 3 && { colours: true as const }),
    };
  },

  words: {
    title: (e) =>
      isCutShort(e) || isTwice(e)
        ? `sums ${e.order}`
        : `${e.of ?? 'values'} in another order${e.order ? `: ${e.order}` : ''}`,
    explanation: (e) =>
      isCutShort(e)
        ? 'In every channel the same products are missing from the sum: its loop begins late or ends early, or one of its multipliers is not added.'
        : isTwice(e)
          ? 'In every channel the same product is added twice: a register of the multiplier is not loaded again in time.'
          : e.image
            ? IMAGES[e.image].explanation
            : e.order?.startsWith('rows ')
              ? 'Each output channel takes the weights of another; its bias and multiplier are its own.'
              : 'Every channel multiplies weights with values of other places along k, in the same order.',
    ofOneLayer: true,
    evidence: (e) => [
      e.order === undefined || isCutShort(e) || isTwice(e)
        ? null
        : `${e.of}: ${e.order}${e.colours ? ' (BGR for RGB, or the reverse)' : ''}`,
    ],
    fix: (e, context) => {
      const { matrix } = e;
      const { subject, layer } = context;
      if (subject !== 'candidate' && e.image)
        return `capture ${printable(layer)} again on its image as it is: it was computed on one that is ${e.image}`;
      if (subject !== 'candidate')
        return isCutShort(e)
          ? `the capture's sums are ${e.order} of ${printable(layer)}: capture again, or write these weights as 0 into ${fileOf(context)}`
          : `write the weights of ${printable(layer)} in the order that the capture was computed with`;
      if (isCutShort(e) || isTwice(e))
        return `sum over every ${matrix ? 'k' : 'tap and channel'}${isTwice(e) ? ' once' : ''}, from 0 to ${matrix ? 'IN_FEATURES - 1' : 'KH - 1, KW - 1 and IN_CHANNELS - 1'}`;
      if (e.image) return IMAGES[e.image].fix;
      if (e.order?.startsWith('rows ')) return 'multiply by weight[n] in output channel n, from 0 on';
      return matrix
        ? 'multiply weight[n][k], rows of the file one after the other ([out, in]), by x[k], both from k = 0 on'
        : `take weights as ${layoutOf(e, context).name} and the image in the layout of the model, taps not flipped`;
    },
    code: ({ matrix, transposed, floats }, context) => {
      if (floats) return matrix ? [numpy('y = x @ weight.reshape(out_features, in_features).T  # and the bias')] : [];
      return codeOf(
        matrix
          ? [
              numpy(
                'acc = (x.astype(np.int32) - x_zero_point) @ w.reshape(out_features, in_features).astype(np.int32).T',
              ),
              inC(`for (k = 0; k < IN_FEATURES; k++) acc += (x[k] - X_ZERO_POINT) * w[${ROW}];`),
              rtl(
                `acc <= acc + ($signed({1'b0, x[k]}) - X_ZERO_POINT) * w[${ROW}];  // k = 0 .. IN_FEATURES - 1; uint8 x`,
              ),
            ]
          : tapLines({ transposed }, context),
      )(context);
    },
  },
};

type Kinds = 'product' | 'tensor';

/** Null: of floats. */
function ofProduct(study: Study<Kinds>): ProductStudy | null {
  return isTensorStudy(study as Study) ? null : (study as ProductStudy);
}

const ofAll = (changes: (ProductChange | TensorChange)[]) => changes as Change<SetupOf<Kinds>>[];

function estimated(study: ProductStudy, base: ProductSetup): ProductChange[] {
  return [
    ...(isConvolution(study)
      ? [
          ...imagesAndTaps(study, base),
          // on each base of a pair they would take the time of others
          ...(base === study.declared ? [...ordersOfOthers(study), ...movedImages(study)] : []),
          ...channelOrders(study, base),
        ]
      : matrixOrders(study, base)),
    ...heldOperands(study, base),
  ];
}

const IMAGES = {
  mirrored: {
    explanation: 'Each tap reads the place that would be its own in the mirrored image.',
    fix: 'read rows and columns of the image from first to last',
  },
  moved: {
    explanation: 'Each tap reads the place beside its own.',
    fix: 'begin each image with its first row and column, and end it with its last',
  },
};
const ROW = 'n * IN_FEATURES + k';

interface Layout {
  readonly name: string;
  readonly cell: string;
  readonly tap: string;
}

/** Of weights and images, where the layer was read from; where several dimensions or groups are, as of two and one. */
function layoutOf(
  { transposed }: Pick<Partial<CauseEvidence['k-order']>, 'transposed'>,
  { producer: { file } }: Pick<FixContext, 'producer'>,
): Layout {
  if (file === 'tflite')
    return {
      name: '[out, kh, kw, in] (depthwise [1, kh, kw, out])',
      cell: '(iy * W + ix) * IN_CHANNELS + c',
      tap: '((n * KH + ky) * KW + kx) * IN_CHANNELS + c',
    };
  const cell = '(c * H + iy) * W + ix';
  return transposed
    ? { name: '[in, out / groups, kh, kw]', cell, tap: '((c * OUT_CHANNELS + n) * KH + ky) * KW + kx' }
    : { name: '[out, in / groups, kh, kw]', cell, tap: '((n * IN_CHANNELS + c) * KH + ky) * KW + kx' };
}

function tapLines(e: Pick<Partial<CauseEvidence['k-order']>, 'transposed'>, context: FixContext): Snippet[] {
  const { cell, tap } = layoutOf(e, context);
  // each input is added to the outputs that it reaches
  const place = '[n][iy * STRIDE + ky - PAD][ix * STRIDE + kx - PAD]';
  if (e.transposed) return [inC(`acc${place} += (x[${cell}] - X_ZERO_POINT) * w[${tap}];`)];
  return [
    inC(`acc += (x[${cell}] - X_ZERO_POINT) * w[${tap}];`),
    rtl(`acc <= acc + ($signed({1'b0, x[${cell}]}) - X_ZERO_POINT) * w[${tap}];  // uint8 x`),
  ];
}

function isCutShort({ order }: { readonly order?: string }): boolean {
  return order?.startsWith(LEFT_OUT) ?? false;
}

function isTwice({ order }: { readonly order?: string }): boolean {
  return order?.startsWith(`${TWICE} `) ?? false;
}

function imagesAndTaps(study: ProductStudy, base: ProductSetup): ProductChange[] {
  return [
    ...(base.params.weight === study.declared.params.weight ? weightOrders(study) : []),
    ...(base.patches ? [] : imageOrders(study)),
  ];
}

const weightOrders = madeOnce((study: ProductStudy) => {
  const { params } = study.declared;
  const orders = [...tapOrders(params), ...fileOrders(params)];
  return orders.map((order) => weightChange(params, order));
});

const ordersOfOthers = madeOnce(({ declared: { params }, data: { kernel } }: ProductStudy) =>
  otherOrders(params, kernel.runtime === 'tflite' || kernel.runtime === 'xnnpack').map((order) =>
    weightChange(params, order),
  ),
);

function weightChange(params: Product, { order, from }: WeightOrder): ProductChange {
  const { weight, inFeatures, patch } = params;
  const each = patch!.inChannels;
  let taken: Product['weight'] | null = null;
  const weightsOf = (_: Product, channels: readonly number[]) =>
    emptyLike(weight, channels.length * inFeatures).map((_, i) => {
      const k = i % inFeatures;
      return weight[from(channels[Math.floor(i / inFeatures)], Math.floor(k / each), k % each)];
    });
  return {
    cause: 'k-order',
    coordinate: 'weights',
    freedom: FREEDOM.none,
    label: order,
    found: { of: 'weights', order },
    weightsOf,
    apply: (setup) => {
      taken ??= weightsOf(params, [...Array(params.outFeatures).keys()]);
      return withParams(setup, { weight: taken });
    },
  };
}

/** The image's memory taken for another layout's. */
const imageOrders = madeOnce((study: ProductStudy) => {
  const { images } = study.data;
  const { input } = patchOf(study.declared);
  const [places, channels] = [sizeOf(input), images!.channels];
  const change = (order: string, cell: (place: number, channel: number) => number, image?: 'mirrored') =>
    readOtherwise(study, {
      cause: 'k-order',
      label: order,
      found: { of: 'input', order, ...(image && { image }) },
      reading: () => ({ moved: (own) => cell(Math.floor(own / channels), own % channels) }),
    });
  // cells lie as [place, channel] here: that of place p and channel c of [channel, place] memory is c * places + p
  const toRows = (cell: number) => (cell % places) * channels + Math.floor(cell / places);
  const memory =
    channels === 1 || places === 1
      ? []
      : [
          change('channels first memory as channels last', (place, c) => toRows(place * channels + c)),
          change('channels last memory as channels first', (place, c) => c * places + place),
        ];
  const [rows, columns] = input.slice(-2);
  const isSquare = input.length === 2 && rows === columns && rows > 1;
  const exchange = (place: number, c: number) =>
    ((place % columns) * rows + Math.floor(place / columns)) * channels + c;
  return [
    ...memory,
    ...(isSquare ? [change('image rows for columns', exchange)] : []),
    ...mirroredImages(study.declared.params).map(({ order, from }) =>
      change(order, (place, c) => from(place) * channels + c, 'mirrored'),
    ),
  ];
});
