/** A number of a layer of floats that is another: an eps, an axis, how many groups. The declared kernel computes it, within its own bounds. */
import type {
  AffineAttributes,
  AttentionAttributes,
  AxisAttributes,
  GroupNormAttributes,
  QAttentionAttributes,
  SpreadAttributes,
} from '../../../nouns/attributes.js';
import { isQuantized } from '../../../nouns/value.js';
import { axisOf } from '../../../tensor/axes.js';
import { channelsOf } from '../../../tensor/shape.js';
import { withParams } from '../../setup.js';
import type { Study, TensorStudy } from '../../study/study.js';
import { hasCases } from '../cases.js';
import { mayTryFunctions } from './floatFunctions.js';

/** What the layer then is, and its attributes. */
type Read = readonly [name: string, attributes: unknown];

/** Of fewer that differ one of some dozen numbers gives each by chance. */
const FEWEST = 4;

const NORMS = ['layer_norm', 'rms_norm', 'group_norm', 'instance_norm', 'skip_layer_norm', 'skip_rms_norm'];
const ALONG = ['softmax', 'log_softmax', 'cumsum'];

export function fieldsOfFloats(study: TensorStudy): Read[] {
  const { data, declared } = study;
  const { op } = data;
  if (!mayTryFunctions(study) || isQuantized(declared.params.output) || !hasCases(study as Study, FEWEST)) return [];
  const own = declared.params.attributes;
  if (NORMS.includes(op)) return [...ofEpsilons(study), ...(op === 'group_norm' ? ofGroups(study) : [])];
  if (ALONG.includes(op)) return alongOthers(study);
  if (op === 'scaled_dot_product_attention' || op === 'q_attention') return ofAttention(study);
  if (op === 'var' || op === 'std') return [spreadOf(op, own as SpreadAttributes)];
  return [];
}

/** 1, 2 and 5 of each power of ten: all that people write, and so near to each other that none between them is missed for long. */
const EPSILONS = [
  0,
  ...[12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].flatMap((n) => [1, 2, 5].map((k) => Number(`${k}e-${n}`))),
];

/** Of more values those that frameworks have: each is a layer that is computed anew. */
const FEW_VALUES = 1 << 15;
const USUAL = [0, 1e-12, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2];

/** Next to a variance several give the same: all of them are told. */
function ofEpsilons(study: TensorStudy): Read[] {
  const own = study.declared.params.attributes as AffineAttributes;
  const agrees = (eps: number) =>
    eps !== own.eps && study.agreesOnSubset(withParams(study.declared, { attributes: { ...own, eps } }));
  const all = (study.subset.observed.length > FEW_VALUES ? USUAL : EPSILONS).filter(agrees);
  const [least, most] = [all[0], all.at(-1)];
  if (least === undefined || most === undefined) return [];
  const which = least === most ? `${most}` : least === 0 ? `${most} or less` : `${least} to ${most}`;
  // the one that is furthest from the file's
  return [[`${study.data.op} with an eps of ${which}`, { ...own, eps: most < own.eps ? least : most }]];
}

/** Channels by more or fewer groups. */
function ofGroups({ data, declared }: TensorStudy): Read[] {
  const own = declared.params.attributes as GroupNormAttributes;
  const channels = channelsOf(data.whole!.ready.shapes.output);
  const divisors = Array.from({ length: channels }, (_, i) => i + 1).filter((n) => channels % n === 0);
  return divisors
    .filter((groups) => groups !== own.groups && groups !== 1 && groups !== channels)
    .map((groups) => [`${data.op} of ${groups} groups`, { ...own, groups }]);
}

function alongOthers({ data, declared }: TensorStudy): Read[] {
  const own = declared.params.attributes as AxisAttributes;
  const [shape] = data.whole!.ready.shapes.inputs;
  const axis = axisOf(own.dim, shape);
  return shape.dims.flatMap((_, other): Read[] =>
    other === axis ? [] : [[`${data.op} along dim ${other + 1}`, { ...own, dim: other + 1 }]],
  );
}

const HEADS = [1, 2, 4, 8, 12, 16];

/** Another scale, another mask, and of both at once the ones that are left out most. */
function ofAttention({ data, declared }: TensorStudy): Read[] {
  const own = declared.params.attributes as AttentionAttributes | QAttentionAttributes;
  const { inputs } = data.whole!.ready.shapes;
  const ofCodes = 'heads' in own;
  const depth = ofCodes ? own.size : inputs[0].dims.at(-1)!;
  const isOther = (scale: number) => Math.abs(scale / own.scale - 1) > 1e-6;
  const byHeads = HEADS.flatMap((heads) => [1 / Math.sqrt(depth * heads), 1 / Math.sqrt(depth / heads)]);
  const scales = [...new Set([1, 1 / depth, ...byHeads])].filter(isOther);
  const masks = otherMasks(own, inputs.length > (ofCodes ? 1 : 3));
  const both = masks.flatMap(([name, mask]) =>
    scales
      .filter((scale) => scale === 1 || scale === 1 / depth)
      .map((scale): Read => [`attention ${scaleText(scale)}, ${name}`, { ...own, ...mask, scale }]),
  );
  return [
    ...masks.map(([name, mask]): Read => [`attention ${name}`, { ...own, ...mask }]),
    ...scales.map((scale): Read => [`attention ${scaleText(scale)}`, { ...own, scale }]),
    ...both,
  ];
}

function scaleText(scale: number): string {
  return scale === 1 ? 'without its scale' : `with a scale of ${Number(scale.toPrecision(6))}`;
}

type Masked = readonly [name: string, mask: Partial<AttentionAttributes | QAttentionAttributes>];

function otherMasks({ isCausal, mask }: AttentionAttributes | QAttentionAttributes, isGiven: boolean): Masked[] {
  const causal: Masked[] = [[isCausal ? 'without its causal mask' : 'with a causal mask', { isCausal: !isCausal }]];
  if (!isGiven) return causal;
  const inverted: Masked = ['whose mask hides what it should show', { mask: 'hidden' }];
  const ofBooleans: Masked[] = [inverted, ['whose mask is added as 0 and 1', { mask: 'added' }]];
  const inPlace: Masked[] = isCausal
    ? []
    : [['with a causal mask in place of its own', { mask: 'none', isCausal: true }]];
  return [
    ['without its mask', { mask: 'none' }],
    ...inPlace,
    ...(mask === 'chosen' ? ofBooleans : mask === 'places' ? [inverted] : []),
    ...causal,
  ];
}

function spreadOf(op: string, own: SpreadAttributes): Read {
  return own.correction === 0
    ? [`${op} over n - 1`, { ...own, correction: 1 }]
    : [`${op} over n`, { ...own, correction: 0 }];
}
