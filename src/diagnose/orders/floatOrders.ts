/** Weights of a layer of floats in another order: the same sums by a table that is moved. */
import type { NumericArray } from '../../nouns/array.js';
import type { FloatProductAttributes } from '../../nouns/attributes.js';
import { float32s } from '../../numeric/array.js';
import { floor } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import { hasCases } from '../alternatives/cases.js';
import type { CauseCode } from '../finding/evidence.js';
import { FREEDOM, type TensorChange } from '../setup.js';
import type { Study, TensorStudy } from '../study/study.js';
import { fileOrders, otherOrders, type Packed, type WeightOrder } from './memoryOrders.js';
import { at } from './packedOrders.js';
import { tapOrders } from './tapOrders.js';

/** Of fewer that differ one of some dozen orders gives each by chance. */
const FEWEST = 4;
/** A copy of more weights, and the sums of a sample by more products, for each order, take longer than all else. */
const [MOST_COPIED, MOST_PRODUCTS] = [2 ** 22, 5e7];

export function isFloatProduct(study: Study): boolean {
  const { op } = study.data;
  return study.declared.kind === 'tensor' && op.endsWith('_float');
}

/** Null: so few values tell nothing. */
export function floatProductOf(study: TensorStudy): FloatProductAttributes | null {
  return hasCases(study as Study, FEWEST) ? (study.declared.params.attributes as FloatProductAttributes) : null;
}

/** From where each weight of the file's memory is taken. */
type Order = readonly [order: string, from: (i: number) => number];

export function floatOrders(study: TensorStudy): TensorChange[] {
  const own = floatProductOf(study);
  if (!own || own.weights > MOST_COPIED || (study.channels * own.weights) / own.outFeatures > MOST_PRODUCTS) return [];
  const orders = own.window ? ofConvolution(own) : ofMatrix(own);
  return orders.map(([order, from]) =>
    tableChange('k-order', order, from, { of: 'weights', order, floats: true, ...(!own.window && { matrix: true }) }),
  );
}

export function tableChange(
  cause: CauseCode,
  label: string,
  from: Order[1],
  found: TensorChange['found'],
): TensorChange {
  let [taken, of]: (NumericArray | undefined)[] = [];
  const moved = (table: NumericArray) => {
    if (of !== table) [taken, of] = [float32s(table, (_, i) => table[from(i)]), table];
    return taken!;
  };
  return {
    cause,
    coordinate: 'weights',
    freedom: FREEDOM.none,
    label,
    found,
    apply: (setup) => {
      const { steps } = setup;
      return { ...setup, steps: { ...steps, run: (call) => steps.run({ ...call, table: moved(call.table!) }) } };
    },
  };
}

function ofMatrix({ weights, outFeatures: outputs }: FloatProductAttributes): Order[] {
  const inputs = weights / outputs;
  const rows = (name: string, row: (n: number) => number): Order => [
    `rows ${name}`,
    (i) => row(floor(i / inputs)) * inputs + (i % inputs),
  ];
  const memory: Order[] = [
    ['[in, out] memory read as [out, in]', (i) => at(i, outputs, inputs)],
    ['[out, in] memory read as [in, out]', (i) => (i % inputs) * outputs + floor(i / inputs)],
  ];
  return [
    // of a square matrix it is weight-transposed
    ...(inputs === outputs ? [] : memory),
    ['reversed along k', (i) => i - (i % inputs) + inputs - 1 - (i % inputs)],
    rows('from last to first', (n) => outputs - 1 - n),
    rows('one further', (n) => (n + 1) % outputs),
    rows('one before', (n) => (n + outputs - 1) % outputs),
  ];
}

function ofConvolution(own: FloatProductAttributes): Order[] {
  const { weights, outFeatures, groups } = own;
  const window = own.window!;
  const taps = sizeOf(window.kernel);
  const inFeatures = weights / outFeatures;
  const inChannels = inFeatures / taps;
  const packed: Packed = {
    outFeatures,
    inFeatures,
    patch: { window, groups, inChannels, outChannels: outFeatures / groups },
  };
  // the file has [out, in, taps] where a product's rows are [out, taps, in]
  const inFile =
    ({ from }: WeightOrder) =>
    (i: number) => {
      const [out, channel, tap] = [floor(i / inFeatures), floor(i / taps) % inChannels, i % taps];
      const row = from(out, tap, channel);
      const k = row % inFeatures;
      return row - k + (k % inChannels) * taps + floor(k / inChannels);
    };
  return [...tapOrders(packed), ...fileOrders(packed), ...otherOrders(packed)].map((order) => [
    order.order,
    inFile(order),
  ]);
}
