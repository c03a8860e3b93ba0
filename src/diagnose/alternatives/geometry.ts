/** A convolution whose patches are taken from other places than the file says, over the declared output. */

import type { PoolAttributes } from '../../nouns/attributes.js';
import type { Product } from '../../nouns/kernel.js';
import type { PlacedPatch, Taps, Window } from '../../nouns/window.js';
import { int32s } from '../../numeric/array.js';
import { HOLE, tapsOf } from '../../tensor/patches.js';
import type { Fact } from '../cause.js';
import type { Borders, CauseCode } from '../finding/evidence.js';
import {
  type Change,
  FREEDOM,
  type PatchReading,
  type ProductChange,
  type ProductSetup,
  type TensorSetup,
  withParams,
} from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study } from '../study/study.js';
import { isPool, overDeclaredOutput, type Windowed, windowedOf } from './pools.js';

/** A convolution whose input is at hand; of a dynamic one floats, of which those that take a range of each place are rows. */
export const isConvolution: Fact = ({ declared, data }) =>
  declared.kind === 'product' &&
  declared.params.patch !== undefined &&
  data.images !== undefined &&
  !declared.steps.dynamic?.byPlace;

export function patchOf({ params }: ProductSetup): PlacedPatch {
  if (!params.patch) throw new Error('expected a convolution');
  return params.patch;
}

/** As declared. */
export function declaredReading({ patch, input }: Pick<Product, 'patch' | 'input'>, isDynamic: boolean): PatchReading {
  const { taps, groups, inChannels } = patch!;
  const channels = int32s({ length: groups * inChannels }, (_, c) => c);
  return { name: 'declared', taps, groups, channels, fill: isDynamic ? null : input.zeroPoint };
}

interface Otherwise {
  readonly cause: CauseCode;
  readonly label: string;
  readonly freedom?: number;
  readonly found: NonNullable<ProductChange['found']>;
  /** Made when it is first tried. */
  readonly reading: () => Partial<PatchReading>;
  /** The window that a kernel is chosen by. */
  readonly window?: Window;
}

/** A change of how patches are taken. */
export function readOtherwise(study: ProductStudy, otherwise: Otherwise): ProductChange {
  const { cause, label, freedom = FREEDOM.none, found } = otherwise;
  const declared = study.declared.params;
  let made: PatchReading | null = null;
  const apply = (setup: ProductSetup): ProductSetup => {
    made ??= {
      ...declaredReading(declared, study.data.dynamic !== null),
      ...otherwise.reading(),
      name: `${cause} ${label}`,
    };
    const { taps, groups } = made;
    const patch = { ...patchOf(setup), taps, ...(otherwise.window && { window: otherwise.window }) };
    return { ...setup, patches: made, params: { ...setup.params, patch, groups } };
  };
  return { cause, coordinate: 'patches', freedom, label, found, apply };
}

/** Other readings are listed once for a study: estimates ask for them on each of some hundred bases, and what refutes one is kept by it. */
export function madeOnce<S extends WindowStudy, C extends WindowChange>(make: (study: S) => C[]): (study: S) => C[] {
  const known = new WeakMap<WindowStudy, C[]>();
  return (study) => {
    const made = known.get(study) ?? make(study);
    known.set(study, made);
    return made;
  };
}

/** Of a convolution or a pool. */
export type WindowStudy = Study<'product' | 'tensor'>;
export type WindowChange = Change<ProductSetup | TensorSetup>;

export const hasWindow: Fact = (study) => isConvolution(study) || isPool(study);

export function windowOf(study: WindowStudy): Windowed {
  return isTensorStudy(study) ? windowedOf(study)! : patchOf(study.declared as ProductSetup);
}

/** Read as declared so far: no two changes of a window at once. */
export function hasDeclaredWindow({ declared }: WindowStudy, base: ProductSetup | TensorSetup): boolean {
  return base.kind === 'product'
    ? !base.patches
    : base.params.attributes === (declared as TensorSetup).params.attributes;
}

/** Another window over the declared output. */
export function withWindow(
  study: WindowStudy,
  changed: Partial<Window>,
  otherwise: Omit<Otherwise, 'reading' | 'window'>,
): WindowChange {
  const places = windowOf(study);
  const other = { ...places.window, ...changed };
  if (!isProductStudy(study)) return pooledOver(overDeclaredOutput(other, places), otherwise);
  return readOtherwise(study, {
    ...otherwise,
    window: other,
    reading: () => ({ taps: tapsOf(other, places.input, [...places.output]) }),
  });
}

function pooledOver(window: Window, { cause, label, found, freedom = FREEDOM.none }: Omit<Otherwise, 'reading'>) {
  const change: Change<TensorSetup> = {
    cause,
    coordinate: 'patches',
    freedom,
    label,
    found,
    apply: (setup) => withParams(setup, { attributes: { ...(setup.params.attributes as PoolAttributes), window } }),
  };
  return change;
}

/** Taps with another place for each; HOLE for none. Whether there are any is asked of all taps, where it is not known. */
export function mapTaps(
  declared: Taps,
  place: (from: number, position: number, tap: number) => number,
  hasAny: boolean | null = null,
): Taps {
  const { positions, taps } = declared;
  const moved = new Int32Array(taps);
  const at = (position: number) => {
    const places = declared.at(position);
    for (let tap = 0; tap < taps; tap++) moved[tap] = place(places[tap], position, tap);
    return moved;
  };
  const findHole = () => {
    // at either end, where there are any
    for (let i = 0; i < positions; i++) {
      const position = i % 2 === 0 ? i / 2 : positions - (i + 1) / 2;
      if (at(position).includes(HOLE)) return true;
    }
    return false;
  };
  let hasHoles = hasAny;
  return {
    positions,
    taps,
    get hasHoles() {
      hasHoles ??= findHole();
      return hasHoles;
    },
    at,
  };
}

/** All lists of one option an axis, the first of each the declared one; without the one that is declared throughout. */
export function combinations<T>(axes: readonly (readonly T[])[]): T[][] {
  const all = axes.reduce<T[][]>(
    (lists, options) => lists.flatMap((list) => options.map((own) => [...list, own])),
    [[]],
  );
  return all.filter((list) => list.some((own, axis) => own !== axes[axis][0])).slice(0, MOST_COMBINATIONS);
}

const MOST_COMBINATIONS = 160;

/** How many of the differing values that are looked at have a tap on padding, and how many have none. */
export function bordersOf(study: WindowStudy): Borders {
  if (!isProductStudy(study)) return {};
  const { taps } = patchOf(study.declared);
  const { samples } = study.subset;
  const counts = { border_values: 0, inside_values: 0 };
  study.differing.forEach((differs, i) => {
    if (!differs) return;
    const row = samples[Math.floor(i / study.channels)];
    counts[taps.at(row % taps.positions).includes(HOLE) ? 'border_values' : 'inside_values']++;
  });
  return counts;
}
