import type { ElementwiseSteps, Kernel, ProductSteps, TensorSteps } from '../nouns/kernel.js';
import type { Layer, Model, Producer } from '../nouns/model.js';
import { InputError } from '../nouns/problem.js';
import { nearest, printable } from '../text.js';
import { cmsisNn } from './cmsis-nn.js';
import { cmsisNnSingle } from './cmsis-nn-single.js';
import { fbgemm } from './fbgemm.js';
import { fbgemmAvx2 } from './fbgemm-avx2.js';
import { fbgemmVnni } from './fbgemm-vnni.js';
import { elementwiseSteps, productSteps, type Ran, tensorSteps } from './kernel.js';
import { numpy } from './numpy.js';
import { numpyFloat32 } from './numpy-float32.js';
import { onednn } from './onednn.js';
import { onednnAmx } from './onednn-amx.js';
import { onednnAvx2 } from './onednn-avx2.js';
import { onednnAvx512 } from './onednn-avx512.js';
import { onednnPointwise } from './onednn-pointwise.js';
import { onednnPointwiseAmx } from './onednn-pointwise-amx.js';
import { onednnPointwiseAvx2 } from './onednn-pointwise-avx2.js';
import { onednnSse41 } from './onednn-sse41.js';
import { onnxSpec } from './onnx-spec.js';
import { ort } from './ort.js';
import { ortArm } from './ort-arm.js';
import { ortAvx2 } from './ort-avx2.js';
import { pt2eReference } from './pt2e-reference.js';
import { qnnpack } from './qnnpack.js';
import { tfliteBuiltin } from './tflite-builtin.js';
import { tfliteDouble } from './tflite-double.js';
import { tfliteDoubleUp } from './tflite-double-up.js';
import { tfliteFloat64 } from './tflite-float64.js';
import { tfliteReference } from './tflite-reference.js';
import { tfliteSingle } from './tflite-single.js';
import { tflm } from './tflm.js';
import { torchao } from './torchao.js';
import { torchaoAvx2 } from './torchao-avx2.js';
import { xnnpack } from './xnnpack.js';
import { xnnpackArm } from './xnnpack-arm.js';

/** Every kernel model, in the order in which they are listed to people. */
export const kernels: readonly Kernel[] = [
  fbgemm,
  fbgemmVnni,
  fbgemmAvx2,
  onednn,
  onednnAmx,
  onednnAvx512,
  onednnAvx2,
  onednnSse41,
  onednnPointwise,
  onednnPointwiseAmx,
  onednnPointwiseAvx2,
  qnnpack,
  pt2eReference,
  torchao,
  torchaoAvx2,
  ort,
  ortAvx2,
  ortArm,
  onnxSpec,
  tfliteDouble,
  tfliteDoubleUp,
  tfliteSingle,
  tfliteFloat64,
  tfliteReference,
  tfliteBuiltin,
  tflm,
  xnnpack,
  xnnpackArm,
  cmsisNn,
  cmsisNnSingle,
  numpy,
  numpyFloat32,
];

export function kernelInRegistry(name: string): Kernel | null {
  return kernels.find((kernel) => kernel.name === name) ?? null;
}

/** Null where none runs graphs of that kind. */
export function kernelOfFlow(flow: string): Kernel | null {
  return kernels.find((kernel) => kernel.flow === flow) ?? null;
}

/** Kernels that may have computed a layer where `declared` is said to: whole runtimes only where one is declared. */
export function rivalKernels(declared: Kernel | null): readonly Kernel[] {
  return kernels.filter(({ wholeRuntime }) => !wholeRuntime || declared?.wholeRuntime);
}

/** What runs a graph of TFLite's, each node in its own form. */
const tfliteRuntimes = kernels.filter(({ ofLayer, runtime }) => ofLayer && runtime !== 'pytorch');

const RUN_TFLITE: ReadonlySet<string> = new Set([...tfliteRuntimes.map(({ runtime }) => runtime), 'cmsis-nn']);

/** Whether a layer of TFLite's runs in a kernel: CMSIS-NN's are TFLite Micro's on Arm, XNNPACK's take what a release delegates. */
export function runsLayer({ delegates = [] }: Layer, { runtime }: Kernel): boolean {
  return RUN_TFLITE.has(runtime) && (runtime !== 'xnnpack' || delegates.length > 0);
}

/** Releases that compute otherwise, as their captures declare them. */
const RELEASES = [
  ['ai-edge-litert', '2.3.0'],
  ['ai-edge-litert', '1.4.0'],
  ['ai-edge-litert', '1.2.0'],
  ['tensorflow', '2.21.0'],
  ['tflite-runtime', '2.14.0'],
] as const;

/** A layer of TFLite's in each of the runtimes that have a form of their own for it, and in each release; the producer's comes first. */
export function runtimeKernels(layer: Layer, producer: Producer): readonly Kernel[] {
  if (!layer.delegates) return [];
  const releases = RELEASES.map(([framework, frameworkVersion]) => ({ ...producer, framework, frameworkVersion }));
  return [
    ...new Set([producer, ...releases].flatMap((by) => tfliteRuntimes.map((kernel) => kernel.ofLayer!(layer, by)))),
  ];
}

/** What a forecast is about: of a graph of TFLite's its runtimes side by side, of any other every kernel. */
export function forecastKernels({ layers }: Pick<Model, 'layers'>): readonly Kernel[] {
  return layers.some(({ delegates }) => delegates) ? tfliteRuntimes : rivalKernels(null);
}

/** Kernels that have an op which multiplies weights, and what they do for it. */
export function productKernels(
  op: string,
  declared: Kernel | null = null,
  ofLayer?: FormOf,
): { readonly kernel: Kernel; readonly steps: ProductSteps }[] {
  return kernelsWith((kernel) => productSteps(kernel, { op }), declared, ofLayer);
}

/**
 * As productKernels, for a layer: of a graph whose runtime has the choice of arithmetic, or of a model that only `declared` and its
 * like can run, those kernels as they run the layer.
 */
export function kernelsOfProduct(
  layer: Pick<Layer, 'op' | 'arithmetic'>,
  op: string,
  declared: Kernel | null,
): { readonly kernel: Kernel; readonly steps: ProductSteps }[] {
  if (layer.arithmetic === undefined) {
    const own = declared?.wholeRuntime && declared.flow !== undefined && declared.family;
    return productKernels(op, declared).filter(({ kernel }) => !own || kernel.family === own);
  }
  return kernelsWith((kernel) => (kernel.opsInFloat ? productSteps(kernel, { ...layer, op }) : null), null);
}

/** Kernels that convert or clamp, and what they do for it. */
export function elementwiseKernels(
  op: string,
  declared: Kernel | null,
  ofLayer?: FormOf,
): { readonly kernel: Kernel; readonly steps: ElementwiseSteps }[] {
  return kernelsWith((kernel) => elementwiseSteps(kernel, { op }), declared, ofLayer);
}

/** Kernels that have an op on whole values, and what they do for it. */
export function tensorKernels(
  op: Ran,
  declared: Kernel | null = null,
  ofLayer?: FormOf,
): { readonly kernel: Kernel; readonly steps: TensorSteps }[] {
  return kernelsWith((kernel) => tensorSteps(kernel, op), declared, ofLayer);
}

/** A kernel with the form that it has of one layer. */
export type FormOf = (kernel: Kernel) => Kernel;

function kernelsWith<S>(
  stepsOf: (kernel: Kernel) => S | null,
  declared: Kernel | null,
  ofLayer: FormOf = (kernel) => kernel,
) {
  return rivalKernels(declared)
    .map(ofLayer)
    .flatMap((kernel) => {
      const steps = stepsOf(kernel);
      return steps ? [{ kernel, steps }] : [];
    });
}

/** Throws InputError, with the names that are near. `where`: what named the kernel. */
export function kernelByName(name: string, where = '--kernel'): Kernel {
  const kernel = kernelInRegistry(name);
  if (kernel) return kernel;
  const names = kernels.map((candidate) => candidate.name);
  const longer = names.filter((candidate) => name !== '' && candidate.startsWith(name.toLowerCase()));
  const near = longer.length > 0 ? longer.join(', ') : nearest(name, names);
  const hint = near ? `; did you mean ${near}?` : ';';
  const message = `expected a kernel's name, got "${printable(name)}"${hint} qdiff kernels lists all`;
  throw new InputError([{ kind: 'kernel', where, message }]);
}
