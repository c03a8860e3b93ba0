/** Kernels by name: what most models declare first. The registry, which has all of them, is asked for others: a start does without. */
import type { Kernel } from '../nouns/kernel.js';
import type { Producer } from '../nouns/model.js';
import { fbgemm } from './fbgemm.js';
import { kernelByName, kernelInRegistry, kernelOfFlow } from './registry.js';

/** Flows with a kernel of their own. */
const OWN_FLOWS: Readonly<Record<NonNullable<Kernel['flow']>, true>> = {
  'pt2e-reference': true,
  'pt2e-lowered': true,
  torchao: true,
};

/** Null where this version has none of that name. */
export function kernelNamed(name: string): Kernel | null {
  return name === fbgemm.name ? fbgemm : kernelInRegistry(name);
}

/**
 * The kernel that a model's producer declares: by name, by flow, or by engine; fbgemm where nothing is declared. Always with
 * the exact accumulator: saturation is a departure to be named, not the reference.
 */
export function declaredKernel({ kernel, flow, engine }: Producer): Kernel {
  if (kernel !== undefined) return kernelByName(kernel, 'producer.kernel');
  const ofFlow = flow !== undefined && Object.hasOwn(OWN_FLOWS, flow) && kernelOfFlow(flow);
  if (ofFlow) return ofFlow;
  return engine === 'onednn' || engine === 'qnnpack' ? kernelByName(engine) : fbgemm;
}
