import { takes, takesCodes } from '../../kernels/kernel.js';
import { elementwiseKernels, kernelByName, kernels, productKernels, tensorKernels } from '../../kernels/registry.js';
import type { Kernel, ProductSteps } from '../../nouns/kernel.js';
import type { Producer } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { rangeOf } from '../alternatives/ranges.js';
import { isKernelsOwn } from '../facts.js';
import { causeOf } from '../registry.js';
import { applyChanges, type Change, type Setup } from '../setup.js';
import type { LayerData } from '../study/data.js';
import type { Study } from '../study/study.js';
import { frameworkOf, isOf } from './frameworks.js';

/** Which kernels compute exactly the observed values, given the parameters' changes: "consistent with ...". */
export async function consistentKernels(study: Study, changes: readonly Change[]): Promise<string[]> {
  // nothing is claimed but what is declared
  if (!isKernelsOwn(study.declared)) return [study.data.kernel.name];
  const parameters = changes.filter((change) => causeOf(change.cause).whose !== 'kernel');
  const asDeclared = await kernelsGiven(study, parameters);
  const range = rangeOf(applyChanges(study.declared, changes), study.data);
  if (!range || asDeclared.some((name) => kernelByName(name).runtime === study.data.kernel.runtime)) return asDeclared;
  // a dynamic layer's range may be none of its runtime's as the file says: then reduce_range or the calls are others
  return [...new Set([...asDeclared, ...(await kernelsGiven(study, [...parameters, range]))])];
}

async function kernelsGiven(study: Study, parameters: readonly Change[]): Promise<string[]> {
  const possible = declaredUnderKernels(study).map(({ kernel, setup }) => ({
    kernel,
    setup: applyChanges(setup, parameters),
  }));
  const firsts = study.firstAlike(possible.map(({ setup }) => setup));
  const likely = [...new Set(firsts)].filter((setup) => study.agreesOnSubset(setup));
  const agree = await study.agreeEverywhere(likely);
  const agreeing = new Set(likely.filter((_, i) => agree[i]));
  return [...new Set(possible.filter((_, i) => agreeing.has(firsts[i])).map(({ kernel }) => kernel.name))];
}

/** The declared layer under each kernel that has its op. */
function declaredUnderKernels(study: Study): { readonly kernel: Kernel; readonly setup: Setup }[] {
  const { op, onFloats, kernel: own, ofLayer } = study.data;
  const { declared } = study;
  if (declared.kind === 'elementwise') {
    return elementwiseKernels(op, own, ofLayer).map(({ kernel, steps }) => ({ kernel, setup: { ...declared, steps } }));
  }
  if (declared.kind === 'tensor') {
    return tensorKernels({ op, onFloats }, own, ofLayer)
      .filter(({ steps }) => steps === declared.steps || onFloats || declared.params.inputs.every(isQuantized))
      .filter(({ steps }) => takesCodes(steps, [...declared.params.inputs, declared.params.output]))
      .filter(({ steps }) => !steps.lacks?.(declared.params))
      .map(({ kernel, steps }) => ({ kernel, setup: { ...declared, steps } }));
  }
  const { params } = declared;
  return productKernels(op, own, ofLayer)
    .filter(({ steps }) => takes(steps, params))
    .flatMap(({ kernel, steps: ofKernel }) =>
      formsOf(ofKernel).map((steps) => ({ kernel, setup: { ...declared, steps } })),
    );
}

/** What runs under a kernel's name: ready-made biases as the converter or the user rounded them, a product in one step or in two. */
export function formsOf(steps: ProductSteps): ProductSteps[] {
  const biases = [...new Set([steps.bias, ...steps.alsoBiases])];
  const multipliers = [steps.multiplier, ...steps.alsoMultipliers];
  return biases.flatMap((bias) => multipliers.map((multiplier) => ({ ...steps, bias, multiplier })));
}

/** PT2E's lowered graphs run kernels of their own, which their engine's share a family with. */
export function isOfFlow({ flow }: Kernel, declared: Kernel): boolean {
  return flow !== undefined && flow === declared.flow;
}

/**
 * Of the kernels that explain all, the one nearest to what is declared: of its flow, its own variants, then its runtime's. A capture's is one
 * that its framework has, and its CPU may run, as long as there is any.
 */
export function nearestKernel(
  { kernel: declared, declared: { kind }, side, lacks, producer }: LayerData & { readonly producer: Producer },
  explainedBy: readonly string[],
): string | null {
  const explaining = kernels.filter((kernel) => explainedBy.includes(kernel.name));
  const framework = frameworkOf(producer);
  const own = side === 'candidate' ? [] : explaining.filter(({ name }) => isOf(framework, name));
  const ofFramework = own.length > 0 ? own : explaining;
  const here = ofFramework.filter((kernel) => !lacks?.(kernel));
  const all = here.length > 0 ? here : ofFramework;
  // the bound of a float product admits much: it is nearest only where nothing else explains
  const integer = all.filter(({ sums, name }) => kind !== 'product' || sums !== 'float' || name === declared.name);
  const found = integer.length > 0 ? integer : all;
  const nearest =
    found.find((kernel) => kernel.name === declared.name) ??
    found.find((kernel) => isOfFlow(kernel, declared)) ??
    found.find((kernel) => kernel.family === declared.family) ??
    found.find((kernel) => kernel.runtime === declared.runtime) ??
    found.find(({ name }) => isOf(framework, name)) ??
    found[0];
  return nearest?.name ?? null;
}
