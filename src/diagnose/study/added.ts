import type { BiasStep, Product, ProductSteps } from '../../nouns/kernel.js';
import type { Setup } from '../setup.js';
import type { SetupKeys } from './keys.js';

/** What a bias step adds to a layer's sums, the same word for the same numbers; a few stand in dozens of kernels. */
export function addedIn(params: Product): (bias: BiasStep) => string {
  const known = new Map<BiasStep, string>();
  const words = new Map<string, string>();
  return (bias) => {
    let word = known.get(bias);
    if (word === undefined) {
      const prepared = bias.prepare(params);
      const text = prepared.unit === 'int32' ? prepared.values.join() : prepared.unit === 'none' ? '' : bias.name;
      word = words.get(text) ?? String(words.size);
      words.set(text, word);
      known.set(bias, word);
    }
    return word;
  };
}

/** For each setup the first that computes the same: biases are rounded in half a dozen ways, mostly to the same integers. */
export function firstAlike(setups: readonly Setup[], keys: SetupKeys): Setup[] {
  const firsts = new Map<string, Setup>();
  const added = new Map<Product, ReturnType<typeof addedIn>>();
  const keyOf = (setup: Setup) => {
    if (setup.kind !== 'product' || setup.steps.dynamic) return keys.of(setup);
    const { bias, ...steps } = setup.steps;
    const addedBy = added.get(setup.params) ?? addedIn(setup.params);
    added.set(setup.params, addedBy);
    return `${keys.of({ ...setup, steps: steps as ProductSteps })} ${addedBy(bias)}`;
  };
  return setups.map((setup) => {
    const key = keyOf(setup);
    const first = firsts.get(key) ?? setup;
    firsts.set(key, first);
    return first;
  });
}
