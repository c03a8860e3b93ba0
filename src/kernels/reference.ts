/** Which kernel each layer of a model is replayed under: the CPU's part, that a name of the whole model does not say. */
import type { Call, Kernel, OpSteps } from '../nouns/kernel.js';
import { isProduct, type Layer, type Producer } from '../nouns/model.js';
import { fbgemm } from './fbgemm.js';
import { productSteps } from './kernel.js';
import { declaredKernel } from './named.js';
import { kernelByName } from './registry.js';
import { exact } from './steps/accumulate.js';

export interface Reference {
  /** Of the whole model. */
  readonly kernel: Kernel;
  /**
   * Of one layer, which the runtime called in these sizes: the kernel, and those that it may have been instead, where the producer
   * does not say what decides between them.
   */
  readings(layer: Layer, calls: readonly Call[]): readonly [Kernel, ...Kernel[]];
}

/** What a kernel becomes on a CPU with AMX, by name. */
const ON_AMX: ReadonlyMap<string, string> = new Map([
  ['onednn', 'onednn-amx'],
  ['onednn-pointwise', 'onednn-pointwise-amx'],
]);

/** On a CPU with AVX2 alone: its order of multiplications, and exact sums, as always. */
const ON_AVX2: ReadonlyMap<string, string> = new Map([
  ['onednn', 'onednn-avx2'],
  ['onednn-pointwise', 'onednn-pointwise-avx2'],
]);
const onAvx2 = new Map<Kernel, ReturnType<typeof withExactSums>>();

/** onCpu's order; by its name where it is that kernel, as nothing can saturate, elsewhere by the name of what is exact. */
function withExactSums({ name }: Kernel, onCpu: Kernel): { readonly itself: Kernel; readonly exact: Kernel } {
  const ops = Object.entries(onCpu.ops).map(([op, steps]): [string, OpSteps] => [
    op,
    steps.kind === 'product' ? { ...steps, accumulate: exact } : steps,
  ]);
  const itself: Kernel = { ...onCpu, sums: 'exact', ops: Object.fromEntries(ops) };
  return { itself, exact: { ...itself, name } };
}

type Readings = readonly [Kernel, ...Kernel[]];

/** Every layer under the kernel of that name; without one, what the producer declares, layer by layer. Throws InputError. */
export function referenceFor(producer: Producer, name?: string): Reference {
  if (name !== undefined) return sameEverywhere(kernelByName(name), producer);
  const kernel = declaredKernel(producer);
  if (producer.kernel !== undefined) return sameEverywhere(kernel, producer);
  return {
    kernel,
    readings(layer, calls) {
      const [first, ...others] = enginesOf(producer, kernel, layer).flatMap((of) =>
        onThisCpu(producer, formOf(of, layer, producer), layer, calls),
      );
      return [first, ...others];
    },
  };
}

/** PyTorch's engine x86 hands a convolution to oneDNN, when it packs the weights, on CPUs with AVX512-VNNI; no variable changes it. */
function enginesOf({ engine, avx512Vnni }: Producer, kernel: Kernel, layer: Layer): Readings {
  if (engine !== 'x86' || kernel !== fbgemm || avx512Vnni === false || !oneDnnTakes(layer)) return [kernel];
  const onednn = kernelByName('onednn');
  return avx512Vnni ? [onednn] : [fbgemm, onednn];
}

function oneDnnTakes(layer: Layer): boolean {
  if (!isProduct(layer) || !layer.form.patch) return false;
  const { patch, weightZeroPoint } = layer.form;
  const { transposed } = patch.window;
  return patch.groups <= 100 && weightZeroPoint.every((zero) => zero === 0) && !transposed?.some((added) => added > 0);
}

function onThisCpu(producer: Producer, kernel: Kernel, layer: Layer, calls: readonly Call[]): Readings {
  const avx2 = runsAvx2(producer) && ON_AVX2.get(kernel.name);
  if (avx2) {
    if (!onAvx2.has(kernel)) onAvx2.set(kernel, withExactSums(kernel, kernelByName(avx2)));
    const { itself, exact } = onAvx2.get(kernel)!;
    return [neverSaturates(layer) ? itself : exact];
  }
  const amx = mayRunAmx(producer) && ON_AMX.get(kernel.name);
  if (!amx) return [kernel];
  const onAmx = kernelByName(amx);
  // AMX's convolutions multiply in either order, by blocking and threads
  if (isProduct(layer) && layer.form.patch) return producer.amxInt8 ? [onAmx, kernel] : [kernel, onAmx];
  if (!calls.some((call) => differs(onAmx, kernel, layer, call))) return [kernel];
  return producer.amxInt8 ? [onAmx] : [kernel, onAmx];
}

/** Each layer in the form that the runtime of that name has for it. */
export function sameEverywhere(kernel: Kernel, producer: Producer): Reference {
  return { kernel, readings: (layer) => [formOf(kernel, layer, producer)] };
}

/** A runtime's name stands for the form that a layer takes there. */
export function formOf(kernel: Kernel, layer: Layer, producer: Producer): Kernel {
  return kernel.ofLayer?.(layer, producer) ?? kernel;
}

/** oneDNN takes the newest instructions that the CPU has and its variable allows. */
function mayRunAmx(producer: Producer): boolean {
  const { amxInt8, avx512Vnni } = producer;
  return amxInt8 !== false && avx512Vnni !== false && /^(DEFAULT|ALL|.*AMX.*)$/i.test(mostOf(producer));
}

function runsAvx2(producer: Producer): boolean {
  const { cpuCapability, avx512, avxVnni } = producer;
  const most = mostOf(producer);
  if (/^AVX2$/i.test(most)) return cpuCapability !== 'DEFAULT';
  return cpuCapability === 'AVX2' && avx512 === false && avxVnni === false && !/^(SSE41|AVX)$/i.test(most);
}

function mostOf({ environment }: Producer): string {
  return environment?.get('ONEDNN_MAX_CPU_ISA') ?? environment?.get('DNNL_MAX_CPU_ISA') ?? 'DEFAULT';
}

/** Codes of 7 bits: 127 * -128 + 127 * -128 fits int16, so that the kernel of that name is all there is to say. */
function neverSaturates(layer: Layer): boolean {
  return isProduct(layer) && layer.form.dynamic?.reduceRange === true;
}

/** Whether the CPU is said to be without the instructions that a kernel takes. */
export function lacksFor({ needs }: Kernel, producer: Producer): boolean {
  return needs !== undefined && producer[needs] === false;
}

/** Whether a call is not computed as it would be under the kernel without AMX. */
function differs(onAmx: Kernel, kernel: Kernel, layer: Layer, call: Call): boolean {
  const [own, other] = [productSteps(onAmx, layer), productSteps(kernel, layer)];
  const step = own && (own.dynamic?.multiplier ?? own.multiplier);
  return step !== null && step.ofCall?.(call) !== (other?.dynamic?.multiplier ?? other?.multiplier);
}
