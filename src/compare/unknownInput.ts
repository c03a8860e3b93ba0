import type { Capture } from '../nouns/capture.js';
import { isElementwise, type Layer, type Model } from '../nouns/model.js';
import { listed, printable } from '../text.js';

/** Whether a candidate has a value that this layer's own is computed from. */
export function hasValueBefore(model: Model, candidate: Capture, layer: Layer): boolean {
  return layer.inputs.some((input) => {
    if (candidate.values.has(input)) return true;
    const producer = model.layers.find(({ name }) => name === input);
    return producer !== undefined && hasValueBefore(model, candidate, producer);
  });
}

/** What is not explained by a layer itself may come from layers that the candidate does not show; null: it shows all. */
export function unknownInput(model: Model, candidate: Capture, layer: Layer): string | null {
  const missing = missingBefore(model, candidate, layer);
  if (missing.length === 0) return null;
  const from = missing.length === 1 ? `${printable(missing[0])} or earlier` : 'any of them or earlier';
  const unknown = `the candidate has no ${listed(missing)}, so what ${printable(layer.name)} read is unknown`;
  return `${unknown}: the difference may come from ${from}`;
}

/** Layers that compute something between what the candidate has and what this one reads, in the model's order. */
function missingBefore(model: Model, candidate: Capture, layer: Layer): string[] {
  const missing = new Set<string>();
  const visit = ({ name, inputs }: Layer): void => {
    if (candidate.values.has(`${name}.input`)) return;
    for (const input of inputs) {
      const producer = candidate.values.has(input) ? undefined : model.layers.find((one) => one.name === input);
      if (!producer || missing.has(input)) continue;
      missing.add(input);
      visit(producer);
    }
  };
  visit(layer);
  const isIdentity = (one: Layer) => isElementwise(one) && one.form.keepsParams && one.form.clamp === null;
  return model.layers.filter((one) => missing.has(one.name) && !isIdentity(one)).map(({ name }) => name);
}
