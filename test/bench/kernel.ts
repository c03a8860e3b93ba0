import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import { linearSteps } from '../support/steps.js';
import { random } from './case.js';
import { CHAINS } from './limit.js';

export { CHAINS };

const limit = new WebAssembly.Instance(
  new WebAssembly.Module(readFileSync(join(process.env.QDIFF_BENCH_FOLDER!, 'limit.wasm'))),
  { env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true }) } },
).exports as Record<string, (turns: number) => number>;

/**
 * Thousand million multiply-adds a second of the two kernels' instructions alone, with so many chains: how many suit the
 * compiler and the machine best is tried out.
 */
export function limitOf(mode: keyof typeof modes, chains: number): number {
  const [name, multiplyAdds] = mode === 'exact' ? ['exact', 8] : ['pairs', 16];
  return rate(chains * multiplyAdds * 20_000, () => limit[name + chains](20_000));
}

export const modes: Readonly<Record<'exact' | 'saturating', ProductSteps>> = {
  exact: linearSteps('fbgemm'),
  saturating: linearSteps('fbgemm-avx2'),
};

/** A layer in memory; each call of the function it gives is one measurement: sums, requantization, codes. */
export function layerInMemory(rows: number, inFeatures: number, channels: number, threads: number) {
  const fast = webAssembly({ threads, worthStarting: 0 });
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
  const x = { rows, cols: inFeatures, data: random(rows * inFeatures, 1) };
  return (mode: keyof typeof modes) =>
    rate(rows * inFeatures * channels, () => fast.codes(modes[mode], linear, x) ?? fail(rows, inFeatures, channels));
}

function rate(multiplyAdds: number, run: () => unknown): number {
  const started = performance.now();
  run();
  return multiplyAdds / (performance.now() - started) / 1e6;
}

function fail(...shape: readonly number[]): never {
  throw new Error(`${shape.join('x')} was not accelerated`);
}
