/** One convolution of each kind as a layer is replayed: gathered, grouped, finished; beside numpy's im2col and PyTorch's own layer. */
import { webAssembly } from '../../src/accelerate/accelerator.js';
import type { Codes, Product } from '../../src/nouns/kernel.js';
import type { Patch } from '../../src/nouns/window.js';
import { placed, replayPatches } from '../../src/replay/patches.js';
import { windowDims } from '../../src/tensor/patches.js';
import { linearSteps } from '../support/steps.js';
import { random } from './case.js';
import { layerInMemory, modes } from './kernel.js';
import { bench, forReadme, hasTorch, median, percent, print, python, spawned } from './processes.js';
import { table } from './readme.js';

interface Layer {
  readonly name: string;
  readonly samples: number;
  readonly channels: number;
  readonly size: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly groups: number;
}

const layer = (
  name: string,
  samples: number,
  channels: number,
  size: number,
  outputs: number,
  more: Partial<Layer>,
) => ({
  ...{ name, samples, channels, size, outputs, kernel: 3, stride: 1, groups: 1 },
  ...more,
});

const LAYERS: readonly Layer[] = [
  layer('3x3, 64 channels of 56x56', 4, 64, 56, 64, {}),
  layer('1x1, 64 to 256 of 56x56', 4, 64, 56, 256, { kernel: 1 }),
  layer('7x7 stride 2, 3 to 64 of 224x224', 2, 3, 224, 64, { kernel: 7, stride: 2 }),
  layer('depthwise 3x3, 128 of 56x56', 8, 128, 56, 128, { groups: 128 }),
  layer('grouped 3x3, 8 of 16 channels of 28x28', 8, 128, 28, 128, { groups: 8 }),
];

const ROUNDS = 9;

export function convolutionKinds(): void {
  const linear = layerInMemory(4 * 56 * 56, 64 * 9, 64, 1, modes.includes('relaxed') ? 'relaxed' : 'exact');
  const runs = LAYERS.map((own) => ({ own, run: inMemory(own), taken: [] as number[] }));
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rates.push(linear());
    for (const { run, taken } of runs) taken.push(run());
  }
  const others = hasTorch ? othersOf() : null;
  const reference = median(rates);
  const rows = runs.map(({ own, taken }, i) => {
    const rate = median(taken);
    const said = (name: 'im2col' | 'torch') => others?.[i][name].toFixed(1) ?? '-';
    return [own.name, rate.toFixed(1), percent(rate / reference), said('im2col'), said('torch')];
  });
  const head = [
    'a convolution, one thread, GMAC/s',
    'qdiff',
    'of 3x3 as a matrix',
    'numpy im2col, int32',
    "PyTorch's layer",
  ];
  print(`Kinds of convolutions (the 3x3 as a linear layer: ${reference.toFixed(1)} GMAC/s)`, head, rows);
  forReadme.push(table(head, rows));
}

/** GMAC/s of a CPU second, as the others. */
function othersOf(): Record<'im2col' | 'torch', number>[] {
  return JSON.parse(
    spawned(python, [bench('convolution_kinds.py'), JSON.stringify(LAYERS)])
      .stdout.trim()
      .split('\n')
      .at(-1)!,
  );
}

function inMemory({ samples, channels, size, outputs, kernel, stride, groups }: Layer) {
  const ends = [Math.floor(kernel / 2), Math.floor(kernel / 2)] as const;
  const window = {
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [ends, ends],
    dilation: [1, 1],
    transposed: null,
  };
  const patch: Patch = { window, groups };
  const output = windowDims(window, [size, size]);
  const input = { dims: [channels, size, size], channelAxis: 0 };
  const shapes = { inputs: [input], output: { dims: [outputs, ...output], channelAxis: 0 } };
  const inFeatures = (kernel * kernel * channels) / groups;
  const params = { dtype: 'uint8', scale: 0.02, zeroPoint: 128, quantMin: 0, quantMax: 255 } as const;
  const product: Product = {
    inFeatures,
    outFeatures: outputs,
    perChannel: true,
    weight: new Int8Array(random(outputs * inFeatures, 2).buffer),
    weightScale: new Float64Array(outputs).fill(1 / 1024),
    weightZeroPoint: new Int32Array(outputs),
    bias: new Float32Array(outputs).fill(0.5),
    biasInt32: null,
    activation: 'none',
    input: params,
    output: { ...params, scale: 1.5 },
    patch: placed(patch, input, shapes.output),
    groups,
  };
  const x: Codes = { rows: samples, cols: channels * size * size, data: random(samples * channels * size * size, 1) };
  const fast = webAssembly({ threads: 1, worthStarting: 0 });
  const multiplyAdds = samples * output[0] * output[1] * outputs * inFeatures;
  return () => {
    const before = process.cpuUsage();
    replayPatches(linearSteps('fbgemm'), product, x, shapes, fast);
    const { user, system } = process.cpuUsage(before);
    return multiplyAdds / (user + system) / 1e3;
  };
}
