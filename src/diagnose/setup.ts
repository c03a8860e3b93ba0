import type {
  Codes,
  Elementwise,
  ElementwiseSteps,
  Product,
  ProductSteps,
  TensorCall,
  TensorSteps,
} from '../nouns/kernel.js';
import type { Activation } from '../nouns/model.js';
import type { QuantParams, ValueParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import type { Taps } from '../nouns/window.js';
import { emptyLike, int32s, isBytes } from '../numeric/array.js';
import { rangeOf } from '../products/exactSums.js';
import type { CauseCode, CauseEvidence } from './finding/evidence.js';

/** How what is read and written is looked at. */
interface Views {
  /** How the codes of each input are read, where not as stored. */
  readonly reads: readonly (CodeMap | null)[];
  /** How output codes are stored, where not as computed. */
  readonly stores: CodeMap | null;
  /** Row i of the observation is row order[i] of the replay; null: in order. */
  readonly order: readonly number[] | null;
  /** Where all of this is so, and what is computed elsewhere; absent: everywhere. */
  readonly within?: { readonly region: Region; readonly others: Setup };
}

/** Part of a layer: channels, rows [from, to), as the diagnosis counts them, or the edges of each image. */
export type Region =
  | { readonly channels: readonly number[] }
  | { readonly from: number; readonly to: number }
  | BorderRegion;

/** All places but those of a box, [from, to) an axis. */
export interface BorderRegion {
  readonly inside: readonly (readonly [from: number, to: number])[];
  readonly dims: readonly number[];
}

/**
 * A point in the space of computations: the declared kernel and layer with some steps and parameters changed.
 * A cause moves one coordinate; pairs are composition.
 */
export type Setup = ProductSetup | ElementwiseSetup | TensorSetup;

export interface ProductSetup extends Views {
  readonly kind: 'product';
  readonly steps: ProductSteps;
  readonly params: Product;
  /** How a convolution's patches are taken, where not as declared. */
  readonly patches?: PatchReading;
  /** What is added to each sum. */
  readonly carried?: Carried;
  /** A dynamic layer's input stays as it is. */
  readonly unquantized?: true;
}

/** In units of its sums, by channel: of each row of a scope, whose samples these are. */
export interface Carried {
  readonly name: string;
  readonly inChannel: (channel: number, samples: readonly number[], read: CarriedRead) => ArrayLike<number>;
}

/** What the sums are made of. */
export interface CarriedRead {
  readonly setup: ProductSetup;
  /** What a channel reads under a setup, [rows of the scope, in_features]. */
  readonly codesOf: (setup: ProductSetup, channel: number) => Codes;
}

/** What each output position and tap reads. */
export interface PatchReading {
  readonly name: string;
  readonly taps: Taps;
  readonly groups: number;
  /** The channels that each group reads, [groups * channels of a group]. */
  readonly channels: Int32Array;
  /** The code that padding holds; null: that of real 0, whatever it is. */
  readonly fill: number | null;
  /** Where holes do not all hold the same: the code of one. */
  readonly holds?: (position: number, tap: number) => number;
  /** Of each cell [position, channel] of the image: the cell that is read in its place. */
  readonly moved?: (cell: number) => number;
}

export interface ElementwiseSetup extends Views {
  readonly kind: 'elementwise';
  readonly steps: ElementwiseSteps;
  readonly params: Elementwise;
}

export interface TensorSetup extends Views {
  readonly kind: 'tensor';
  readonly steps: TensorSteps;
  readonly params: TensorParams;
}

/** A layer on whole values with its numbers. */
interface TensorParams {
  readonly inputs: readonly ValueParams[];
  readonly output: ValueParams;
  readonly attributes: unknown;
  readonly activation: Activation;
  /** In place of what follows from how values lie in memory. */
  readonly everywhere?: TensorCall['everywhere'];
}

export interface Setups {
  readonly product: ProductSetup;
  readonly elementwise: ElementwiseSetup;
  readonly tensor: TensorSetup;
}

export type Kind = keyof Setups;
export type SetupOf<K extends Kind> = Setups[K];

/** Everything as stored, in order. */
export const AS_STORED: Views = { reads: [null], stores: null, order: null };

export interface CodeMap {
  readonly name: string;
  readonly apply: (code: number) => number;
  /** Its inverse; absent: it has none, or is not needed. */
  readonly back?: (code: number) => number;
  /** Codes that lie so far apart are stored as one. */
  readonly period?: number;
  /** It gives less for some larger codes. */
  readonly falls?: boolean;
}

/** What a change moves, in the order in which changes are applied (a later one sees the earlier ones' setup). */
const COORDINATES = [
  'arithmetic',
  'x',
  'patches',
  'x_range',
  'weights',
  'x_zero_point',
  'w_zero_point',
  'accumulator',
  'multiplier',
  'bias_values',
  'bias',
  'round',
  'offset',
  'relu',
  'clamp',
  'x_scale',
  'w_scale',
  'y_scale',
  'y_zero_point',
  'y',
  'rows',
] as const;

export type Coordinate = (typeof COORDINATES)[number];

/** How flexible a change is; of two explanations the one with less freedom is believed. */
export const FREEDOM = { none: 0, oneNumber: 1, permutationOrPatch: 2, numberPerChannel: 3 } as const;

/** Rules by the labels that they have as changes. */
export interface Ruled {
  /** Those that give these numbers, first what may hold in every layer. */
  readonly own: readonly string[];
  /** All that the values admit, and how likely each is by chance. */
  readonly fitting: readonly { readonly label: string; readonly chance: number }[];
}

export interface Change<S extends Setup = Setup> {
  readonly cause: CauseCode;
  readonly coordinate: Coordinate;
  /** Which of the inputs it moves, where it moves one of several. */
  readonly input?: number;
  readonly freedom: number;
  /** A found number so near to the declared one that it moves ties only: anything without a number is believed first. */
  readonly tiny?: boolean;
  /** Seldom the reason in this kind of layer: what is as simple is believed first. */
  readonly rare?: boolean;
  /** Distinguishes the changes of one cause, e.g. the name of a step. */
  readonly label: string;
  /** Where its numbers follow from a rule that may hold in every layer. */
  readonly ruled?: Ruled;
  /** The part of the evidence that only the search knows: what was found. */
  readonly found?: CauseEvidence[CauseCode];
  /** Channels it acts on, where it is not all. */
  readonly channels?: readonly number[];
  /** It moves no value of what is declared, so it is no cause by itself: another change shows it. */
  readonly unnamed?: true;
  /** Others move as little and explain as much. */
  readonly open?: true;
  /** It is so in this part of the layer only. */
  readonly region?: Region;
  /** Other forms of the same change, where another base has several. */
  readonly forms?: readonly Change<S>[];
  /** Where it puts weights in another order: those of a part of the layer that has these of its channels. */
  readonly weightsOf?: (part: Product, channels: readonly number[]) => Product['weight'];
  apply(setup: S): S;
}

export type ProductChange = Change<ProductSetup>;
export type ElementwiseChange = Change<ElementwiseSetup>;
export type TensorChange = Change<TensorSetup>;

const RANKS = new Map<Coordinate, number>(COORDINATES.map((coordinate, rank) => [coordinate, rank]));

function rankOf({ coordinate, region }: Change): number {
  return RANKS.get(coordinate)! + (region ? RANKS.size : 0);
}

/** Applies changes in the order of their coordinates, those of a region last: {a, b} and {b, a} are one hypothesis. */
export function applyChanges<S extends Setup>(setup: S, changes: readonly Change[]): S {
  if (changes.length < 2) return changes.length === 0 ? setup : (changes[0].apply(setup) as S);
  return [...changes]
    .sort((a, b) => rankOf(a) - rankOf(b))
    .reduce((changed, change) => change.apply(changed) as S, setup);
}

/** A changed step is an integer kernel's; a float path (PT2E's reference) stays one only where the change says so. */
export function withSteps<S extends Setup>(setup: S, steps: Partial<S['steps']>): S {
  const integer = setup.kind === 'product' ? { float: null } : {};
  return { ...setup, steps: { ...setup.steps, ...integer, ...steps } };
}

export function withParams<S extends Setup>(setup: S, params: Partial<S['params']>): S {
  return { ...setup, params: { ...setup.params, ...params } };
}

/** What the layer declares of one of its inputs. This and the next function know how many a form has. */
export function inputOf({ params }: Setup, input = 0): ValueParams {
  if ('inputs' in params) return params.inputs[input];
  return input === 1 && 'addend' in params ? params.addend! : params.input;
}

/** Other parameters of one of its inputs; floats have none. */
export function withInput<S extends Setup>(setup: S, params: Partial<QuantParams>, input = 0): S {
  const own = inputOf(setup, input);
  if (!isQuantized(own)) return setup;
  const changed = { ...own, ...params };
  if (setup.kind !== 'tensor')
    return withParams<Setup>(setup, input === 1 ? { addend: changed } : { input: changed }) as S;
  return withParams<TensorSetup>(setup, {
    inputs: setup.params.inputs.map((one, i) => (i === input ? changed : one)),
  }) as S;
}

/** Other parameters of its output; floats have none. */
export function withOutput<S extends Setup>(setup: S, params: Partial<QuantParams>): S {
  const { output } = setup.params;
  return isQuantized(output) ? (withParams<Setup>(setup, { output: { ...output, ...params } }) as S) : setup;
}

/** One of its inputs, read otherwise. */
export function readAs<S extends Setup>(setup: S, map: CodeMap, input = 0): S {
  return { ...setup, reads: setup.reads.map((own, i) => (i === input ? map : own)) };
}

export function mapCodes(x: Codes, map: CodeMap | null): Codes {
  return map ? { rows: x.rows, cols: x.cols, data: mapped(x.data, map.apply) } : x;
}

/** Bytes through a table, and to bytes where the map allows it: the accelerator takes them as they are. */
function mapped(data: Codes['data'], apply: CodeMap['apply']): Codes['data'] {
  if (!isBytes(data)) return int32s(data, apply);
  const table = new Int32Array(256);
  for (const code of emptyLike(data, 256).map((_, i) => i)) table[code & 255] = apply(code);
  const { min, max } = rangeOf(table);
  const Mapped = min >= 0 && max <= 255 ? Uint8Array : min >= -128 && max <= 127 ? Int8Array : Int32Array;
  const codes = new Mapped(data.length);
  for (let i = 0; i < codes.length; i++) codes[i] = table[data[i] & 255];
  return codes;
}
