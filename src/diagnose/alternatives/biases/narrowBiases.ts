/** Integer biases that lose their high bits, or are one for all channels: what RTL and firmware make of a list of int32. */
import { int32BiasFloat64 } from '../../../kernels/steps/bias.js';
import { weightScaleOf } from '../../../kernels/steps/scales.js';
import type { Product } from '../../../nouns/kernel.js';
import { isQuantized } from '../../../nouns/value.js';
import { clamp, wrapInt8, wrapInt16 } from '../../../numeric/integer.js';
import { floor, roundHalfEven, roundHalfUp } from '../../../numeric/round.js';
import { giveAll, OTHER_BASE } from '../../estimate/otherSums.js';
import { viewOf } from '../../estimate/view.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from '../../setup.js';
import type { ProductStudy } from '../../study/study.js';

/** Of the evidence of bias-value. */
export interface NarrowBiases {
  /** All are the declared ones, rounded to int32 and kept in fewer bits. */
  readonly width?: { readonly bits: 8 | 16; readonly overflow: 'wrap' | 'clamp' };
  /** The channel whose bias all have. */
  readonly all_of?: number;
  /** All are rounded to int8 in units of their own, and brought to those of the sums or not. */
  readonly own_scale?: { readonly unit: OwnUnit; readonly brought: boolean };
  /** All lose so many low bits, as a fixed-point type of fewer fractional bits has none. */
  readonly lost_bits?: number;
  /** These are rounded off, not cut. */
  readonly to_nearest?: true;
}

/** The last is of a range with a zero point, in uint8 (SNPE, QNN). */
type OwnUnit = 'max / 127' | 'power of 2' | '(max - min) / 255';

/** Of all biases; then of one of them, of channel n. */
type Made = (values: Int32Array, product: Product) => (bias: number, n: number) => number;

/** int8 biases of a quantizer (pytorch/glow#3466), of QKeras, of a DPU. */
function ownScale(unit: OwnUnit, brought: boolean): [NarrowBiases, Made] {
  return [
    { own_scale: { unit, brought } },
    (values, product) => {
      const unitOf = (n: number) => product.input.scale * weightScaleOf(product, n);
      const realOf = (b: number, n: number) => product.bias?.[n] ?? b * unitOf(n);
      let [min, max] = [0, 0];
      values.forEach((b, n) => {
        const real = realOf(b, n);
        if (real < min) min = real;
        if (real > max) max = real;
      });
      const own = ownUnit(unit, min, max);
      const least = unit === '(max - min) / 255' ? roundHalfEven(min / own) : -128;
      return (b, n) => {
        const code = clamp(roundHalfEven(realOf(b, n) / own), least, least + 255);
        return brought ? roundHalfEven((code * own) / unitOf(n)) : code;
      };
    },
  ];
}

function ownUnit(unit: OwnUnit, min: number, max: number): number {
  if (unit === '(max - min) / 255') return (max - min) / 255;
  const most = Math.max(max, -min) / 127;
  return unit === 'max / 127' ? most : 2 ** Math.ceil(Math.log2(most));
}

const LOST_BITS = [1, 2, 3, 4, 5, 6, 7, 8];

const RULES: readonly (readonly [NarrowBiases, Made])[] = [
  ...([16, 8] as const).flatMap((bits): [NarrowBiases, Made][] => {
    const most = 2 ** (bits - 1) - 1;
    return [
      [{ width: { bits, overflow: 'wrap' } }, () => (bits === 8 ? wrapInt8 : wrapInt16)],
      [{ width: { bits, overflow: 'clamp' } }, () => (b) => clamp(b, -most - 1, most)],
    ];
  }),
  [{ all_of: 0 }, (values) => () => values[0]],
  ...(['max / 127', 'power of 2'] as const).flatMap((unit) => [true, false].map((brought) => ownScale(unit, brought))),
  ownScale('(max - min) / 255', true),
  ...LOST_BITS.flatMap((bits): [NarrowBiases, Made][] => {
    const roundedBy = (round: (x: number) => number) => () => (b: number) => round(b / 2 ** bits) * 2 ** bits;
    return [
      [{ lost_bits: bits }, roundedBy(floor)],
      [{ lost_bits: bits, to_nearest: true }, roundedBy(roundHalfEven)],
      [{ lost_bits: bits, to_nearest: true }, roundedBy(roundHalfUp)],
    ];
  }),
];

/** Two channels of one bias are two in another order as well. */
const FEWEST_CHANNELS = 3;
/** Beside another cause: of fewer any other bias is as good. */
const FEWEST_OF_FORM = 8;
/** Values that few bits less move lie next to borders; one of so many rules gives one value by chance. */
const FEWEST_DIFFERING = 8;

/** Those that give what was observed, whatever rounds it to nearest; of another base those of another width. */
export function narrowBiases(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const { declared, sketch } = study;
  if (!study.free || study.channels < FEWEST_CHANNELS || !isQuantized(declared.params.output)) return [];
  const isAlone = base === declared;
  // what rounds down may cut biases off as well; every base asks
  const cuts = base.steps.round.apply(0.75) === 0;
  const isMet = ({ width, lost_bits }: NarrowBiases) => isAlone || width || (cuts && lost_bits);
  if (!isAlone && (cuts ? lostForms : narrowForms)(study).length === 0) return [];
  const own = int32BiasFloat64.prepare(study.engine.restrict(declared.params, sketch));
  const whole = int32BiasFloat64.prepare(declared.params);
  if (own.unit !== 'int32' || whole.unit !== 'int32') return [];
  const view = viewOf(study, base, sketch);
  const fits = (biases: Int32Array) => giveAll(view, (acc, n) => acc + biases[n], OTHER_BASE);
  // what may be 0 is no bias at all
  if (fits(own.values) || fits(own.values.map(() => 0))) return [];
  const isOfFew = !study.data.proven && study.data.mismatched < FEWEST_DIFFERING;
  return RULES.flatMap(([found, made]): ProductChange | [] => {
    if (!isMet(found)) return [];
    if ((found.own_scale || found.lost_bits) && isOfFew) return [];
    const bias = made(whole.values, declared.params);
    if (!fits(own.values.map((b, n) => bias(b, sketch.channels?.[n] ?? n)))) return [];
    return changeTo(found, whole.values.map(bias));
  });
}

/** Those of another width, whether or not the values admit them alone, where some leave it. */
export const narrowForms = formsOf(({ width }) => width !== undefined);

/** Those without low bits, which move every channel by less than what else is wrong may. */
export const lostForms = formsOf(({ lost_bits }) => lost_bits !== undefined);

function formsOf(isOne: (found: NarrowBiases) => boolean): (study: ProductStudy) => ProductChange[] {
  const known = new WeakMap<ProductStudy, ProductChange[]>();
  return (study) => {
    const forms = known.get(study) ?? formsIn(study, isOne);
    known.set(study, forms);
    return forms;
  };
}

function formsIn(study: ProductStudy, isOne: (found: NarrowBiases) => boolean): ProductChange[] {
  const isMeant = study.free && study.channels >= FEWEST_OF_FORM && study.data.mismatched >= FEWEST_DIFFERING;
  const own = isMeant ? int32BiasFloat64.prepare(study.declared.params) : null;
  if (own?.unit !== 'int32') return [];
  return RULES.filter(([found]) => isOne(found)).flatMap(([found, made]) => {
    const biases = own.values.map(made(own.values, study.declared.params));
    return biases.some((b, n) => b !== own.values[n]) ? changeTo(found, biases) : [];
  });
}

function changeTo(found: NarrowBiases, biasInt32: Int32Array): ProductChange {
  return {
    cause: 'bias-value',
    coordinate: 'bias_values',
    freedom: FREEDOM.none,
    label: JSON.stringify(found),
    found,
    apply: (setup) => withParams(setup, { bias: null, biasInt32 }),
  };
}
