/** Models that are valid and strange: any order of ops, extreme scales, hostile names, every optional field. */
import { kernels } from '../../src/kernels/registry.js';
import { type NpyDtype, npy } from '../support/npz.js';
import { NAMES } from './hostile.js';
import { mutateTree } from './mutateJson.js';
import type { Random } from './random.js';
import { npzOf } from './zipFile.js';

export interface RandomModel {
  readonly json: unknown;
  /** The capture's arrays. */
  readonly values: Map<string, Buffer>;
  /** model.npz. */
  readonly arrays: Buffer | null;
}

type Codes = 'uint8' | 'int8' | 'int32';
type Params = { dtype: Codes | 'float32'; scale?: number; zero_point?: number; quant_min?: number; quant_max?: number };
type Fields = Record<string, unknown>;

const RANGES: Readonly<Record<Codes, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};
const SCALES = [2.938737e-39, 1e-38, 1e-30, 1e-20, 1e-10, 1e-5, 1e5, 1e10, 1e20, 1e30, 3.4028234e38];
const FLOATS = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, 3.4e38, -3.4e38];
const BIASES = [3.4e38, -3.4e38, 1e-45, 1e10, -1e10, 0, -0];
const INTEGERS = [0, 1, -1, 40_000, -40_000, 2147483647, -2147483648];

export function randomModel(random: Random): RandomModel {
  const json = new ModelWriter(random).write();
  return random.chance(0.05) ? { ...json, json: mutateTree(json.json, random) } : json;
}

class ModelWriter {
  private readonly values = new Map<string, Buffer>();
  private readonly arrays = new Map<string, Buffer>();
  private readonly layers: Fields[] = [];
  private readonly used = new Set<string>();
  private readonly hostile: boolean;
  private readonly extreme: boolean;
  private readonly samples: number;
  private features: number;
  private current: { name: string; params: Params | null };

  constructor(private readonly random: Random) {
    this.hostile = random.chance(0.25);
    this.extreme = random.chance(0.3);
    this.samples = random.weighted([
      [2, 1],
      [6, random.between(2, 6)],
      [1, 40],
    ] as const);
    this.features = random.between(1, 6);
    const params: Params = random.chance(0.4) ? { dtype: 'float32' } : this.codes();
    this.current = { name: this.nameOf(params.dtype === 'float32' ? 'x' : 'quant'), params };
  }

  write(): RandomModel {
    const { random, current } = this;
    const inputs = [{ name: current.name, ...current.params }];
    this.capture(current.name, current.params);
    for (
      let i = random.weighted([
        [2, 1],
        [3, 2],
        [3, 4],
        [1, 8],
      ] as const);
      i > 0;
      i--
    )
      this.addLayer();
    if (random.chance(0.15)) this.addBatches();
    const arrays = this.arrays.size > 0 ? { arrays: 'model.npz' } : {};
    const json = {
      format: 'qdiff-model',
      version: 1,
      producer: this.producer(),
      ...arrays,
      inputs,
      layers: this.layers,
    };
    return { json, values: this.values, arrays: this.arrays.size > 0 ? npzOf(this.arrays) : null };
  }

  private nameOf(base: string): string {
    let name = this.hostile && this.random.chance(0.5) ? this.random.one(NAMES) : base;
    while (this.used.has(name)) name += '_';
    this.used.add(name);
    return name;
  }

  private scale(): number {
    const { random } = this;
    return this.extreme && random.chance(0.4) ? random.one(SCALES) : random.real() * 0.2 + 1e-4;
  }

  private codes(dtype: Codes = this.random.one(['uint8', 'int8'] as const)): Params {
    const { random } = this;
    const [min, max] = RANGES[dtype];
    const zero_point = random.one(dtype === 'int32' ? [0, 1, min, max] : [min, max, 0, random.between(min, max)]);
    const params: Params = { dtype, scale: this.scale(), zero_point };
    if (random.chance(0.15)) {
      params.quant_min = random.between(Math.max(min, -128), Math.min(max, 100));
      params.quant_max = random.between(params.quant_min + 1, Math.min(max, 255));
    }
    return params;
  }

  private capture(key: string, params: Params | null): void {
    const { random, samples, features } = this;
    const dtype = params?.dtype ?? 'float32';
    const stored: NpyDtype = dtype === 'float32' && random.chance(0.05) ? 'float64' : dtype;
    const values = Array.from({ length: samples * features }, this.valueOf(dtype));
    const isOdd = random.chance(0.05);
    const shape =
      isOdd && samples === 1
        ? [features]
        : isOdd && samples % 2 === 0
          ? [2, samples / 2, features]
          : [samples, features];
    const options = { fortranOrder: random.chance(0.05), bigEndian: random.chance(0.03) };
    this.values.set(key, npy(stored, shape, values, options));
  }

  private valueOf(dtype: Codes | 'float32'): () => number {
    const { random, extreme } = this;
    const way = random.below(5);
    if (dtype === 'float32') {
      return () => Math.fround(way === 0 && extreme ? random.one(FLOATS) : random.real() * 8 - 4);
    }
    const [min, max] = RANGES[dtype];
    if (way < 3) return () => [min, max, random.one([min, max])][way];
    return () => (dtype === 'int32' ? random.one([min, max, 0, random.below(1000)]) : random.between(min, max));
  }

  private addLayer(): void {
    const { random, current } = this;
    const dtype = current.params?.dtype;
    const isCodes = dtype !== undefined && dtype !== 'float32';
    const op = random.weighted([
      [dtype === 'uint8' || dtype === 'int8' ? 8 : 0, 'linear'],
      [dtype === 'float32' ? 4 : 0, 'linear_dynamic'],
      [dtype === 'float32' ? 5 : 0, 'quantize'],
      [isCodes ? 1 : 0, 'dequantize'],
      [isCodes ? 1 : 0, 'requantize'],
      ...(['relu', 'relu6', 'clamp', 'hardtanh', 'identity'] as const).map((name) => [dtype ? 1 : 0, name] as const),
      [0.7, 'softmax'],
    ] as const);
    const name = this.nameOf(
      op.startsWith('linear') ? `fc${this.layers.length + 1}` : `${op}${this.layers.length + 1}`,
    );
    const layer = {
      name,
      op,
      input: current.name,
      ...(op.startsWith('linear') ? this.linear(name, op) : this.plain(op)),
    };
    this.layers.push(layer);
    const output = (layer as Fields).output as Params | null | undefined;
    this.current = { name, params: output ?? (op === 'softmax' ? null : current.params) };
    if (random.chance(0.88)) this.capture(name, this.current.params);
  }

  private plain(op: string): Fields {
    const { random, current } = this;
    if (op === 'quantize') return { output: this.codes(random.chance(0.1) ? 'int32' : undefined) };
    if (op === 'requantize') return { output: this.codes() };
    if (op === 'dequantize') return { output: { dtype: 'float32' } };
    if (op === 'softmax') return { output: random.chance(0.8) ? this.codes() : null };
    const bound = () => random.one([-1, 0, 0.5, 1, 6, 1e30]);
    const bounds: Fields =
      op === 'clamp' ? { min: bound(), max: bound() } : op === 'hardtanh' ? { min_val: -1, max_val: bound() } : {};
    return random.chance(0.6) ? { ...bounds, output: { ...current.params } } : bounds;
  }

  private linear(name: string, op: string): Fields {
    const { random, current, samples } = this;
    const [rows, columns] = [random.chance(0.05) ? random.between(20, 70) : random.between(1, 5), this.features];
    const perChannel = random.chance(0.5);
    const per = (make: () => number) => (perChannel ? Array.from({ length: rows }, make) : make());
    const fields: Fields = {
      ...this.weight(name, rows, columns),
      weight_scale: per(() => this.scale()),
      ...this.bias(rows),
    };
    if (random.chance(0.4))
      fields.weight_zero_point = per(() => random.one([0, 0, 1, -128, 127, random.between(-128, 127)]));
    if (random.chance(0.5)) fields.activation = random.one(['none', 'relu']);
    if (random.chance(0.15)) this.capture(`${name}.input`, current.params);
    this.features = rows;
    if (op === 'linear_dynamic') return { ...fields, reduce_range: random.chance(0.5), output: { dtype: 'float32' } };
    if (random.chance(0.15)) {
      const sums = Array.from({ length: samples * rows }, () => random.one([...INTEGERS, random.below(1000)]));
      this.values.set(`${name}.accumulator`, npy('int32', [samples, rows], sums));
    }
    return {
      ...fields,
      output: random.chance(0.15) ? { dtype: 'float32' } : this.codes(random.chance(0.02) ? 'int32' : undefined),
    };
  }

  private weight(name: string, rows: number, columns: number): Fields {
    const { random } = this;
    const way = random.one<readonly number[]>([[-128, 127], [0], [-128, 0, 127], []]);
    const value = () => (way.length > 0 ? random.one(way) : random.between(-128, 127));
    const weight = Array.from({ length: rows }, () => Array.from({ length: columns }, value));
    if (random.chance(0.8)) return { weight };
    const options = { fortranOrder: random.chance(0.3) };
    this.arrays.set(`w.${name}`, npy('int8', [rows, columns], weight.flat(), options));
    return { weight: { array: `w.${name}` } };
  }

  private bias(rows: number): Fields {
    const { random, extreme } = this;
    if (random.chance(0.3)) return random.chance(0.5) ? { bias: null } : {};
    const isInteger = random.chance(0.3);
    const real = () => (extreme && random.chance(0.3) ? random.one(BIASES) : random.real() * 4 - 2);
    const one = () => (isInteger ? random.one([...INTEGERS, random.between(-5000, 5000)]) : real());
    return { bias: Array.from({ length: rows }, one), bias_dtype: isInteger ? 'int32' : 'float32' };
  }

  private addBatches(): void {
    const first = this.random.between(1, this.samples);
    const sizes = first < this.samples ? [first, this.samples - first] : [first];
    this.values.set('batch_sizes', npy('int64', [sizes.length], sizes));
  }

  private producer(): Fields {
    const { random } = this;
    const maybe = (chance: number, fields: Fields) => (random.chance(chance) ? fields : {});
    const environment = {
      [random.one(['FBGEMM_ENABLE_INSTRUCTIONS', ...NAMES.slice(0, 12)])]: random.one(['AVX2', ...NAMES]),
    };
    return {
      ...maybe(0.7, { engine: random.one(['x86', 'fbgemm', 'onednn', 'qnnpack', 'tflite', '']) }),
      ...maybe(0.5, { flow: random.one(['eager', 'fx', 'dynamic', 'pt2e-reference', 'pt2e-lowered', 'x']) }),
      ...maybe(0.2, { kernel: random.one(kernels).name }),
      ...maybe(0.4, { arch: random.one(['x86_64', 'aarch64', 'arm64', 'x']) }),
      ...maybe(0.4, { cpu_capability: random.one(['AVX2', 'AVX512', 'DEFAULT', 'x']) }),
      ...maybe(0.3, { avx512_vnni: random.chance(0.5) }),
      ...maybe(0.2, { environment }),
    };
  }
}
