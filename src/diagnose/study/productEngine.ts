import { exact, leavesHolesOut } from '../../kernels/steps/accumulate.js';
import { quantizationOf } from '../../kernels/steps/dynamic.js';
import { losesNothing } from '../../kernels/steps/losesNothing.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Codes, Product, ProductSteps, SumData } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { sumsFitInt32 } from '../../products/exactSums.js';
import { columnsOfGroup, groupOf, groupsOf } from '../../products/groups.js';
import { floatMisses, replayFloatProduct } from '../../replay/floatProduct.js';
import { finishProduct, replayProduct } from '../../replay/product.js';
import { sumsOfGroups } from '../../replay/sumsOfGroups.js';
import { mapCodes, type ProductSetup } from '../setup.js';
import { firstMissOf } from './agree.js';
import { columnsOf } from './arrays.js';
import { sameCall, spreadByCall, type Visit } from './byCall.js';
import { withCarried } from './carried.js';
import type { LayerData, Outputs, Scope } from './data.js';
import { DistinctSums } from './distinctSums.js';
import type { Engine } from './engine.js';
import { KeptSums } from './keptSums.js';
import { Identities, SetupKeys } from './keys.js';
import { rangesOfRows } from './rangesOfRows.js';
import { Readings } from './readings.js';
import { codesOfChannels, RestrictedProducts } from './restricted.js';
import { Rising } from './rising.js';
import { placed, storedCodes } from './storedCodes.js';
import { unquantizedOutputs } from './unquantized.js';
import { COST } from './work.js';

const MOST_QUANTIZED = 24;
const MOST_FLOATS = 2; // three numbers a value

/** Rows of codes times weights. Sums take nearly all of the time, so they are kept by what they depend on. */
export class ProductEngine implements Engine<ProductSetup> {
  private readonly accumulators: KeptSums;
  private readonly called = new WeakMap<Product, Product>();
  private readonly restricted = new RestrictedProducts();
  private readonly quantizedInputs = new WeakMap<Scope, Map<string, Codes>>();
  private readonly readings: Readings;
  private readonly groups = new WeakMap<object, Map<number, Codes>>();
  private readonly rising = new Rising();
  private readonly floats = new WeakMap<Scope, Map<string, Outputs>>();
  private readonly distinct = new DistinctSums();
  private readonly identities = new Identities();
  private readonly keys = new SetupKeys();
  private keyed: { readonly setup: ProductSetup; readonly key: string } | null = null;

  constructor(private readonly data: LayerData<'product'>) {
    this.readings = new Readings(data.dynamic !== null);
    this.accumulators = new KeptSums(data.work);
  }

  /** A dynamic layer's scale is chosen for a whole batch. */
  get wholeScopes(): boolean {
    return this.data.dynamic !== null;
  }

  outputs(setup: ProductSetup, scope: Scope): Outputs {
    const params = this.restrict(setup.params, scope);
    const { steps, stores } = setup;
    if (steps.float) return this.floatOutputs(setup, scope);
    if (setup.unquantized) return this.unquantized(setup, scope, params);
    const accumulator = this.accumulator(setup, scope);
    const data = this.data.dynamic
      ? this.finishDynamic(setup, scope, params, accumulator)
      : this.finishCalls(setup, scope, params, accumulator);
    return { data: stores ? int32s(data, stores.apply) : data, low: null, high: null };
  }

  private unquantized({ params, patches }: ProductSetup, scope: Scope, own: Product): Outputs {
    this.data.work?.add(scope.observed.length * own.inFeatures * COST.floatAdd);
    const floats = patches ? this.readings.of(patches, scope) : (scope.inputs[0] as Codes);
    const isOfGroups = scope.channels && groupsOf(params) > 1;
    return unquantizedOutputs(isOfGroups ? codesOfChannels(floats, params, scope.channels!) : floats, own);
  }

  /** By exact and by absolute sums, both dear; the integer steps do not matter, so that several kernels share them. */
  private floatOutputs({ steps, ...setup }: ProductSetup, scope: Scope): Outputs {
    const { product, quantize } = steps.float!;
    const key = `${product.name} ${quantize.name} ${this.keys.of({ ...setup, steps: { bound: steps.bound, dynamic: steps.dynamic } as ProductSteps })}`;
    const known = this.floats.get(scope) ?? new Map<string, Outputs>();
    this.floats.set(scope, known);
    const found = known.get(key);
    if (found) return found;
    const outputs = this.spread({ ...setup, steps }, scope);
    if (known.size >= MOST_FLOATS) known.delete(known.keys().next().value!);
    known.set(key, outputs);
    return outputs;
  }

  private spread(setup: ProductSetup, scope: Scope): Outputs {
    this.data.work?.add(scope.observed.length * setup.params.inFeatures * COST.floatAdd);
    const params = this.restrict(setup.params, scope);
    const codes = this.restrictedCodes(setup, scope);
    const { steps } = setup;
    if (this.data.dynamic)
      return spreadByCall(steps, params, codes, this.data.fast, (visit) => this.eachBatch(scope, steps, visit));
    const sums = this.floatSums(setup, scope, params, codes);
    return sums === null
      ? replayProduct(setup.steps, params, codes, this.data.fast)
      : replayFloatProduct(setup.steps, params, codes, this.data.fast, sums);
  }

  /** The exact sums that a float product begins with are those of other hypotheses. */
  private floatSums(setup: ProductSetup, scope: Scope, params: Product, codes: Codes): SumData | null {
    if (this.data.dynamic || groupsOf(params) > 1 || !sumsFitInt32(codes, params)) return null;
    return this.accumulator({ ...setup, steps: { ...setup.steps, accumulate: exact } }, scope);
  }

  private floatMisses(setup: ProductSetup, scope: Scope, most: number): readonly number[] | null {
    const params = this.restrict(setup.params, scope);
    const codes = this.restrictedCodes(setup, scope);
    const sums = this.floatSums(setup, scope, params, codes);
    return sums && floatMisses(setup.steps, params, codes, sums, scope.observed, most);
  }

  differences(setup: ProductSetup, scope: Scope): Uint8Array | null {
    const misses = setup.steps.float && this.floatMisses(setup, scope, scope.observed.length);
    if (!misses) return null;
    const differing = new Uint8Array(scope.observed.length);
    for (const i of misses) differing[i] = 1;
    return differing;
  }

  /** Sums are made for the whole scope, which is faster; what follows them by ever larger pieces, to leave at the first that differs. */
  firstMiss(setup: ProductSetup, scope: Scope, rows: number): number {
    const { steps, stores } = setup;
    const misses = steps.float && this.floatMisses(setup, scope, 1);
    if (misses) return misses[0] ?? -1;
    const params = this.restrict(setup.params, scope);
    if (this.data.dynamic || steps.float || stores || steps.multiplier.ofCall || rows >= scope.samples.length) {
      return firstMissOf(this.outputs(setup, scope), scope.observed);
    }
    const accumulator = this.accumulator(setup, scope);
    const added = this.addend(setup, scope);
    for (let from = 0, length = rows * params.outFeatures; from < accumulator.length; from += length, length *= 2) {
      const part = added?.subarray(from, from + length);
      const data = this.finish(steps, params, accumulator.subarray(from, from + length), part);
      const miss = firstMissOf({ data, low: null, high: null }, scope.observed.subarray(from, from + length));
      if (miss >= 0) return from + miss;
    }
    return -1;
  }

  /** Whether a setup gives every value of a scope of many, asked of each sum once; null where its steps ask for more, or sums for others. */
  agrees(setup: ProductSetup, scope: Scope): boolean | null {
    const { steps, stores, order, within, params } = setup;
    const others = steps.float || steps.multiplier.ofCall || steps.accumulate.holdsBias || params.addend;
    if (this.data.dynamic || others || stores || order || within) return null;
    const own = losesNothing(steps.accumulate, params) ? { ...setup, steps: { ...steps, accumulate: exact } } : setup;
    const distinct = this.distinct.of(scope, this.keyOf(own), () => this.accumulator(own, scope));
    if (distinct === null || distinct === 'none') return distinct && false;
    const data = this.finish(steps, this.restrict(params, scope), distinct.sums);
    return firstMissOf({ data, low: null, high: null }, distinct.codes) < 0;
  }

  readsRowsAlone({ steps, params, order, within, patches, carried }: ProductSetup): boolean {
    const others = this.data.dynamic || steps.multiplier.ofCall || leavesHolesOut(steps.accumulate, params);
    return !(others || order || within || patches || carried);
  }

  /** Known for all setups of the same sums. */
  mayFollow(setup: ProductSetup, scope: Scope, atOnce: boolean): boolean {
    const { steps, params, stores, order, within } = setup;
    const others = steps.float || steps.accumulate.holdsBias || params.addend || params.curve; // no steps that rise
    const falls = steps.round.falls || stores?.falls;
    if (this.data.dynamic || others || falls || order || within) return true;
    const asked = { atOnce, inPieces: stores !== null };
    const key = this.keyOf(setup);
    return this.rising.mayFollow(scope, key, params, asked, {
      all: () => this.accumulators.of(scope, key, this.making(setup)),
      few: (part) => this.accumulators.ofSlice(part, key, this.making(setup)),
    });
  }

  /** Sums were met from which what was observed may follow, or nothing tells. */
  get hasMetSums(): boolean {
    const { steps, params } = this.data.declared;
    return this.rising.isMet || Boolean(steps.float || params.addend || params.curve);
  }

  /** What is stored otherwise than computed, or in floats, does not rise with them: it is refuted by no sums. */
  sameSums(a: ProductSetup, b: ProductSetup): boolean {
    const isPlain = ({ stores, order, within, steps }: ProductSetup) => !(stores || order || within || steps.float);
    return isPlain(a) && isPlain(b) && this.keyOf(a) === this.keyOf(b);
  }

  forget(scope: Scope): void {
    this.accumulators.forget(scope);
  }

  /** Activation codes of a scope as a setup reads them; a dynamic layer's kernel makes them. */
  codes(setup: ProductSetup, scope: Scope): Codes {
    if (this.data.dynamic) return placed(setup, scope, mapCodes(this.quantized(setup, scope), setup.reads[0]));
    return storedCodes(
      setup,
      scope,
      setup.patches ? this.readings.of(setup.patches, scope) : (scope.inputs[0] as Codes),
    );
  }

  /** The codes that one channel reads, [rows, in_features]: those of its group. */
  codesOf(setup: ProductSetup, scope: Scope, channel: number): Codes {
    const codes = this.codes(setup, scope);
    const { inFeatures } = setup.params;
    if (codes.cols === inFeatures) return codes;
    const group = groupOf(setup.params, channel);
    const groups = this.groups.get(codes.data) ?? new Map<number, Codes>();
    this.groups.set(codes.data, groups);
    const own = groups.get(group) ?? columnsOfGroup(codes, inFeatures, group);
    groups.set(group, own);
    return own;
  }

  /** What the activations of each row of a scope were quantized with. */
  inputParams({ steps, params }: ProductSetup, scope: Scope): QuantParams[] {
    const inputs = new Array<QuantParams>(scope.samples.length).fill(params.input);
    if (this.data.dynamic) {
      this.eachBatch(scope, steps, (first, rows, input) => inputs.fill(input, first, first + rows));
    }
    return inputs;
  }

  /** Accumulators under a setup, [samples, channels] of the scope. */
  accumulator(setup: ProductSetup, scope: Scope): SumData {
    return this.accumulators.of(scope, this.keyOf(setup), this.making(setup));
  }

  private making(setup: ProductSetup) {
    const { steps, params, carried } = setup;
    const codesOf = (scope: Scope) => (own: ProductSetup, channel: number) => this.codesOf(own, scope, channel);
    const sumsOf = (scope: Scope) =>
      this.data.dynamic
        ? this.accumulateDynamic(setup, scope)
        : sumsOfGroups(
            steps.accumulate,
            this.restrictedCodes(setup, scope),
            this.restrict(params, scope),
            this.data.fast,
          ).data;
    return {
      sumsOf: (scope: Scope) =>
        carried ? withCarried(sumsOf(scope), carried, scope, { setup, codesOf: codesOf(scope) }) : sumsOf(scope),
      costOf: (scope: Scope) => this.costOf(setup, scope),
    };
  }

  /** Other weights, and other patches, are put into place first. */
  private costOf({ params, patches, carried }: ProductSetup, { observed, channels }: Scope): number {
    const { weight, inFeatures } = params;
    const made = weight === this.data.declared.params.weight ? 0 : weight.length * COST.weight;
    const groups = channels ? Math.min(groupsOf(params), channels.length) : groupsOf(params);
    const read = (channels?.length ?? params.outFeatures) * inFeatures * COST.readWeight;
    const once = COST.sums + groups * COST.group + made + read + (patches ? COST.patches : 0);
    return once + observed.length * inFeatures * COST.multiplyAdd * (carried ? 2 : 1);
  }

  /** The scope's channels of a layer; parts are kept, so that equal arrays stay identical and share accumulators. */
  restrict(params: Product, scope: Scope): Product {
    return this.restricted.of(params, scope);
  }

  /** What the scope's channels read: of a grouped product, for each of them the codes of its group, as if it were one of its own. */
  private restrictedCodes(setup: ProductSetup, scope: Scope): Codes {
    const codes = this.codes(setup, scope);
    return scope.channels && groupsOf(setup.params) > 1 ? codesOfChannels(codes, setup.params, scope.channels) : codes;
  }

  /** All that sums depend on; a hypothesis is asked for it on one scope after the other. */
  private keyOf(setup: ProductSetup): string {
    if (this.keyed?.setup !== setup) this.keyed = { setup, key: this.keyMade(setup) };
    return this.keyed.key;
  }

  private keyMade({ steps, params, reads, patches, carried }: ProductSetup): string {
    const { dynamic } = this.data;
    const chosenInput = dynamic ? quantizationOf(steps.dynamic!, dynamic.reduceRange) : params.input.zeroPoint;
    const { weight, weightZeroPoint, bias, biasInt32, weightScale } = params;
    const held = steps.accumulate.holdsBias ? [weightScale, ...[bias ?? biasInt32].filter((own) => own !== null)] : [];
    const arrays = [weight, weightZeroPoint, ...held].map((array) => this.identities.of(array));
    if (held.length > 0) arrays.push(params.input.scale);
    return [steps.accumulate.name, carried?.name, patches?.name, reads[0]?.name, chosenInput, ...arrays].join('|');
  }

  // -------------------------------------------------------------- dynamic layers, batch by batch

  private accumulateDynamic(setup: ProductSetup, scope: Scope): Int32Array {
    const params = this.restrict(setup.params, scope);
    const accumulator = new Int32Array(scope.observed.length);
    const { cols, data, positions } = this.restrictedCodes(setup, scope);
    this.eachBatch(scope, setup.steps, (first, rows, input) => {
      const own = data.subarray(first * cols, (first + rows) * cols);
      const codes = { rows, cols, data: own, ...(positions && { positions: positions.subarray(first, first + rows) }) };
      const part = sumsOfGroups(setup.steps.accumulate, codes, { ...params, input }, this.data.fast).data;
      accumulator.set(part, first * params.outFeatures);
    });
    return accumulator;
  }

  /** The same object as long as the kernel quantizes in the same way. */
  private quantized({ steps: { dynamic }, patches }: ProductSetup, scope: Scope): Codes {
    let known = this.quantizedInputs.get(scope);
    if (!known) {
      known = new Map();
      this.quantizedInputs.set(scope, known);
    }
    const key = `${quantizationOf(dynamic!, this.data.dynamic!.reduceRange)} ${patches?.name ?? ''}`;
    let codes = known.get(key);
    if (!codes) {
      const { rows, cols, data } = patches ? this.readings.of(patches, scope) : scope.inputs[0];
      const fill = patches?.fill ?? 0;
      codes = { rows, cols, data: new (dynamic!.choose.signed ? Int8Array : Uint8Array)(data.length) };
      const steps = { ...this.data.declared.steps, dynamic };
      this.eachBatch(scope, steps, (first, count, input) => {
        const quantize = dynamic!.quantize.prepare(input);
        for (let i = first * cols; i < (first + count) * cols; i++)
          codes!.data[i] = Number.isNaN(data[i]) ? fill : quantize(data[i]);
      });
      if (known.size >= MOST_QUANTIZED) known.delete(known.keys().next().value!);
      known.set(key, codes);
    }
    return codes;
  }

  private finishDynamic(setup: ProductSetup, scope: Scope, params: Product, accumulator: SumData): Float32Array {
    const data = new Float32Array(accumulator.length);
    this.data.work?.add(accumulator.length * COST.dynamicValue);
    this.eachBatch(scope, setup.steps, (first, rows, input) => {
      const from = first * params.outFeatures;
      const part = accumulator.subarray(from, from + rows * params.outFeatures);
      data.set(finishProduct(setup.steps, { ...this.inCall(params, scope.samples[first]), input }, part), from);
    });
    return data;
  }

  // -------------------------------------------------------------- calls whose size decides the arithmetic

  private finishCalls(setup: ProductSetup, scope: Scope, params: Product, accumulator: SumData) {
    const { steps } = setup;
    const added = this.addend(setup, scope);
    const [{ samples }, { outFeatures: width }] = [scope, params];
    let end = sameCall(this.data, steps, scope, 0);
    if (end >= samples.length) return this.finish(steps, this.inCall(params, samples[0]), accumulator, added);
    const data = isQuantized(params.output) ? new Int32Array(accumulator.length) : new Float32Array(accumulator.length);
    for (let first = 0; first < samples.length; first = end) {
      end = sameCall(this.data, steps, scope, first);
      const part = accumulator.subarray(first * width, end * width);
      const other = added?.subarray(first * width, end * width);
      data.set(this.finish(steps, this.inCall(params, samples[first]), part, other), first * width);
    }
    return data;
  }

  finish(steps: ProductSteps, params: Product, accumulator: SumData, added?: NumericArray | null) {
    this.data.work?.add(accumulator.length * COST.value + params.outFeatures * COST.channel);
    return finishProduct(steps, params, accumulator, this.data.fast, added ?? null);
  }

  /** The second value of a scope as a setup reads it, [rows, channels]; null: none is added. */
  addend({ params, reads: [, read] }: ProductSetup, { inputs: [, added], channels }: Scope): NumericArray | null {
    if (!params.addend) return null;
    const { rows, cols, data } = added;
    const own = channels ? columnsOf(data, rows, cols, channels) : data;
    return read ? int32s(own, read.apply) : own;
  }

  /** As it is called for a sample. */
  inCall(params: Product, sample: number): Product {
    const call = this.data.callOf?.(sample);
    if (!call) return params;
    const known = this.called.get(params);
    if (known?.call === call) return known;
    const called = { ...params, call };
    this.called.set(params, called);
    return called;
  }

  private eachBatch(scope: Scope, { dynamic }: ProductSteps, visit: Visit): void {
    const own = this.data.dynamic!;
    for (const { first, rows, range } of rangesOfRows(own, dynamic!, scope)) {
      if (dynamic!.grain !== 'row') this.data.work?.add(COST.call);
      visit(first, rows, dynamic!.chooseQuantParams(range.min, range.max, own.reduceRange));
    }
  }
}
