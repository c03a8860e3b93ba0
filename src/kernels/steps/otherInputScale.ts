import type { MultiplierStep, Product } from '../../nouns/kernel.js';

/** The same with another scale of the input than its codes were made with: what hypotheses are made of. */
export function withInputScale(step: MultiplierStep, name: string, of: (scale: number) => number): MultiplierStep {
  const moved = (product: Product) => ({ ...product, input: { ...product.input, scale: of(product.input.scale) } });
  const { ofCall } = step;
  return {
    name: `${step.name}, ${name}`,
    equation: `${step.equation}, ${name}`,
    arithmetic: step.arithmetic,
    toSteps: (product, output) => step.toSteps(moved(product), output),
    toReal: (product) => step.toReal(moved(product)),
    operations: null,
    fixedPoint: null,
    ...(ofCall && { ofCall: (call) => withInputScale(ofCall(call), name, of) }),
  };
}
