import { besideValue, type Capture } from '../../nouns/capture.js';
import { isElementwise, type Layer, type Model } from '../../nouns/model.js';
import { upTo } from '../../replay/upTo.js';
import { listed, printable } from '../../text.js';

/** Whether a candidate has a value that this layer's own is computed from. */
export function hasValueBefore(model: Model, candidate: Capture, layer: Layer): boolean {
  const has = ({ inputs }: Layer) => inputs.some((input) => candidate.values.has(input));
  return has(layer) || upTo(layer, byName(model), () => false).some(has); // of thousands of layers nearly all at once
}

/** What is not explained by a layer itself may come from layers that the candidate does not show; null: it shows all. */
export function unknownInput(model: Model, candidate: Capture, layer: Layer): string | null {
  const missing = missingBefore(model, candidate, layer);
  if (missing.length === 0) return unseenInputs(model, candidate, layer);
  const from = missing.length === 1 ? `${printable(missing[0])} or earlier` : 'any of them or earlier';
  const unknown = `the candidate has no ${listed(missing)}, so what ${printable(layer.name)} read is unknown`;
  const isOutput = !model.layers.some(({ inputs }) => inputs.includes(layer.name));
  return `${unknown}: the difference may come from ${from}${isOutput ? OF_OUTPUTS : ''}`;
}

/** What a layer reads of the model's own inputs is taken to be the captured one, which preparing it otherwise makes another. */
function unseenInputs({ inputs }: Model, { values }: Capture, layer: Layer): string | null {
  const unseen = layer.inputs.filter((name) => !values.has(name) && inputs.some((input) => input.name === name));
  if (unseen.length === 0 || values.has(`${layer.name}.input`)) return null;
  const [one, them] = unseen.length === 1 ? [printable(unseen[0]), 'it'] : [listed(unseen), 'them'];
  return `the candidate has no ${one}: save what yours read as ${one} too, if it may have prepared ${them} otherwise (scaled, cast, channels exchanged)`;
}

/** From end to end a runtime can be told by what comes out. */
const OF_OUTPUTS = '; qdiff forecast of inputs and outputs in one npz names the runtime';

/** Layers that compute something between what the candidate has and what this one reads, in the model's order. */
function missingBefore(model: Model, { values }: Capture, layer: Layer): string[] {
  const isKnown = ({ name }: Layer, reader: Layer) =>
    values.has(name) || besideValue(values, model, reader.name, 'input') !== undefined;
  const isIdentity = (one: Layer) => isElementwise(one) && one.form.keepsParams && one.form.clamp === null;
  if (layer.inputs.every((name) => values.has(name))) return [];
  const missing = upTo(layer, byName(model), isKnown).filter((one) => one !== layer);
  return missing.filter((one) => !isIdentity(one)).map(({ name }) => name);
}

const byName = ({ layers }: Model) => new Map(layers.map((layer) => [layer.name, layer]));
