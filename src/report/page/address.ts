/** Where one is: #model/layer/channel/sample/y,x. What is missing is the worst, what is unknown falls back to the part before. */
import type { Layer, Model } from './model.js';

export interface Place {
  readonly model: Model;
  readonly layer: Layer | null;
  readonly channel: number | null;
  readonly sample: number | null;
  readonly at: readonly number[];
}

export function hashOf({ model, layer, channel, sample, at }: Place): string {
  const parts = [model.address];
  if (layer) parts.push(layer.address);
  if (layer && channel !== null) parts.push(String(channel));
  if (layer && channel !== null && sample !== null) parts.push(String(sample));
  if (layer && channel !== null && sample !== null && at.length > 0) parts.push(at.join(','));
  return `#${parts.join('/')}`;
}

export function layerHref(model: Model, layer: Layer, channel: number | null = null): string {
  return hashOf({ model, layer, channel, sample: null, at: [] });
}

/** The place of an address; of an empty one the first model's. */
export function placeOf(hash: string, models: readonly Model[]): Place {
  const [name, layerName, channel, sample, at] = hash.replace(/^#/, '').split('/');
  const model = models.find(({ address }) => address === name) ?? models[0];
  const layer = model.layers.find(({ address }) => address === layerName) ?? null;
  const known = layer !== null && model.address === name;
  const channelNumber = known ? whole(channel, layer.outFeatures) : null;
  return {
    model,
    layer: known ? layer : null,
    channel: channelNumber,
    sample: channelNumber === null ? null : whole(sample, Number.MAX_SAFE_INTEGER),
    at: channelNumber === null || !/^\d+(,\d+)*$/.test(at ?? '') ? [] : at.split(',').map(Number),
  };
}

function whole(text: string | undefined, below: number): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) && Number(text) < below ? Number(text) : null;
}
