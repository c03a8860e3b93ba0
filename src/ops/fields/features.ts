import { isProduct, type Model } from '../../nouns/model.js';
import { printable } from '../../text.js';

/** How many features a value has, and who says so. */
export interface KnownFeatures {
  readonly count: number;
  /** `in_features of fc1` */
  readonly because: string;
  /** What it would be if the weight that says so were transposed; null where something else confirms the weight. */
  readonly ifTransposed: number | null;
}

/** How many features (channels) each value has, as far as the linear layers around it say. */
export class Features {
  private readonly roots = new Map<string, string>();
  private readonly known = new Map<string, KnownFeatures>();

  /** A pointwise layer's value has the features of what it reads. */
  same(value: string, as: string): void {
    if (value !== as) this.roots.set(value, this.rootOf(as));
  }

  get(value: string): KnownFeatures | null {
    return this.known.get(this.rootOf(value)) ?? null;
  }

  /** The first who says it counts. */
  claim(value: string, known: KnownFeatures): void {
    const root = this.rootOf(value);
    if (!this.known.has(root)) this.known.set(root, known);
  }

  /** confirmed: a list of out_features numbers says that the weight is not transposed. */
  linear(layer: {
    name: string;
    input: string | null;
    outFeatures: number;
    inFeatures: number;
    confirmed: boolean;
  }): void {
    const { name, input, outFeatures, inFeatures, confirmed } = layer;
    const shown = printable(name);
    const known = (count: number, side: string, other: number) => ({
      count,
      because: `${side} of ${shown}`,
      ifTransposed: confirmed ? null : other,
    });
    if (input !== null) this.claim(input, known(inFeatures, 'in_features', outFeatures));
    this.claim(name, known(outFeatures, 'out_features', inFeatures));
  }

  private rootOf(value: string): string {
    return this.roots.get(value) ?? value;
  }
}

/** The feature counts of a valid model. */
export function featuresOf(model: Model): Features {
  const features = new Features();
  for (const layer of model.layers) {
    const [input] = layer.inputs;
    if (isProduct(layer)) {
      const { weight, perChannel, bias, biasInt32 } = layer.form;
      const { outFeatures, inFeatures } = weight;
      const confirmed = perChannel || (bias ?? biasInt32) !== null;
      features.linear({ name: layer.name, input, outFeatures, inFeatures, confirmed });
    } else if (layer.form?.kind === 'elementwise') {
      features.same(layer.name, input);
    }
  }
  return features;
}
