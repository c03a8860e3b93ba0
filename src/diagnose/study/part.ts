/** Some channels as if they were a layer: other weights of these are made in less time than those of all. */
import type { Product } from '../../nouns/kernel.js';
import { groupsOf } from '../../products/groups.js';
import { type ProductChange, type ProductSetup, withParams } from '../setup.js';
import type { Scope } from './data.js';
import type { ProductStudy } from './study.js';

export interface Part {
  readonly scope: Scope;
  /** Where they stand in the layer. */
  readonly channels: readonly number[];
  /** What is declared, with other weights. */
  setupOf(weightsOf: NonNullable<ProductChange['weightsOf']>): ProductSetup;
  /** With other numbers. */
  setupWith(changed: (part: Product) => Partial<Product>): ProductSetup;
}

/** Null: the scope has all channels, or they are no layer by themselves. */
export function partOf({ declared, engine }: ProductStudy, scope: Scope): Part | null {
  const { channels } = scope;
  if (!channels || groupsOf(declared.params) > 1 || declared.params.addend) return null;
  const params = engine.restrict(declared.params, scope);
  return {
    scope: { ...scope, channels: [...channels.keys()] },
    channels,
    setupOf: (weightsOf) => withParams({ ...declared, params }, { weight: weightsOf(params, channels) }),
    setupWith: (changed) => withParams({ ...declared, params }, changed(params)),
  };
}
