import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import type { Codes, Gathered, Product, ProductSteps } from '../../src/nouns/kernel.js';
import { isGathered } from '../../src/products/gathered.js';
import { rowsOf } from '../support/gathered.js';
import { linearSteps } from '../support/steps.js';
import { random } from './case.js';
import { CHAINS } from './limit.js';

export { CHAINS };

const [plain, relaxed] = ['limit.wasm', 'limit-relaxed.wasm'].map((name) =>
  readFileSync(join(process.env.QDIFF_BENCH_FOLDER!, name)),
);
const limit = new WebAssembly.Instance(new WebAssembly.Module(WebAssembly.validate(relaxed) ? relaxed : plain), {
  env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true }) },
}).exports as Record<string, (turns: number) => number>;

export type Mode = 'exact' | 'relaxed' | 'saturating';
const LIMITS = { exact: ['exact', 8], relaxed: ['bytes', 16], saturating: ['pairs', 16] } as const;

/** Of this CPU and this Node. */
export const modes: readonly Mode[] = multipliesBytes() ? ['exact', 'relaxed', 'saturating'] : ['exact', 'saturating'];

function multipliesBytes(): boolean {
  const fast = webAssembly({ threads: 1 });
  fast.expect(2 ** 40);
  return fast.describe() !== webAssemblyAlone().describe();
}

function webAssemblyAlone() {
  const fast = webAssembly({ threads: 1, portable: true });
  fast.expect(2 ** 40);
  return fast;
}

/**
 * Thousand million multiply-adds a second of the kernels' instructions alone, with so many chains: how many suit the
 * compiler and the machine best is tried out.
 */
export function limitOf(mode: Mode, chains: number): number {
  const [name, multiplyAdds] = LIMITS[mode];
  return rate(chains * multiplyAdds * 400_000, () => limit[name + chains](400_000));
}

const kernelOf: Readonly<Record<Mode, ProductSteps>> = {
  exact: linearSteps('fbgemm'),
  relaxed: linearSteps('fbgemm'),
  saturating: linearSteps('fbgemm-avx2'),
};

/** A layer in memory; each call of the function it gives is one measurement: sums, requantization, codes. */
export function layerInMemory(rows: number, inFeatures: number, channels: number, threads: number, mode: Mode) {
  return productInMemory(rows, channels, threads, mode, { rows, cols: inFeatures, data: random(rows * inFeatures, 1) });
}

export interface Convolution {
  readonly samples: number;
  readonly inChannels: number;
  readonly size: number;
  readonly kernel: number;
  readonly outChannels: number;
}

/** A convolution of stride 1 over a padded square image, and the linear layer of the same rows. */
export function convolutionInMemory({ samples, inChannels, size, kernel, outChannels }: Convolution, mode: Mode) {
  const width = size + kernel - 1;
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
  const at = (plane: number, y: number, x: number) => (plane * width + y) * width + x;
  const [planes, cells, taps] = [numbers(inChannels), numbers(size), numbers(kernel)];
  const base = numbers(samples).flatMap((n) => cells.flatMap((y) => cells.map((x) => at(n * inChannels, y, x))));
  const offset = planes.flatMap((c) => taps.flatMap((y) => taps.map((x) => at(c, y, x))));
  const data = random(samples * inChannels * width * width, 1);
  const x: Gathered = { data, base: Int32Array.from(base), offset: Int32Array.from(offset) };
  return {
    shape: [base.length, offset.length, outChannels] as const,
    gathered: productInMemory(base.length, outChannels, 1, mode, x),
    linear: productInMemory(base.length, outChannels, 1, mode, rowsOf(x)),
  };
}

function productInMemory(rows: number, channels: number, threads: number, mode: Mode, x: Codes | Gathered) {
  const inFeatures = isGathered(x) ? x.offset.length : x.cols;
  const fast = webAssembly({ threads, worthStarting: 0, worthThreads: 0, portable: mode !== 'relaxed' });
  const params = { dtype: 'uint8', scale: 0.02, zeroPoint: 128, quantMin: 0, quantMax: 255 } as const;
  const linear: Product = {
    inFeatures,
    outFeatures: channels,
    perChannel: true,
    weight: new Int8Array(random(channels * inFeatures, 2).buffer),
    weightScale: new Float64Array(channels).fill(1 / 1024),
    weightZeroPoint: new Int32Array(channels),
    bias: new Float32Array(channels).fill(0.5),
    biasInt32: null,
    activation: 'none',
    input: params,
    output: { ...params, scale: 1.5 },
  };
  return () =>
    rate(
      rows * inFeatures * channels,
      () => fast.codes(kernelOf[mode], linear, x) ?? fail(rows, inFeatures, channels),
      threads,
    );
}

/** Of one thread by the CPU's time, which other jobs on the machine do not change much. */
function rate(multiplyAdds: number, run: () => unknown, threads = 1): number {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  run();
  const { user, system } = process.cpuUsage(cpu);
  const ms = threads === 1 ? (user + system) / 1000 : performance.now() - wall;
  return multiplyAdds / ms / 1e6;
}

function fail(...shape: readonly number[]): never {
  throw new Error(`${shape.join('x')} was not accelerated`);
}
