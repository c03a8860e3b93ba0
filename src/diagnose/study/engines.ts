/** The engine of each kind. */
import type { LayerData } from './data.js';
import { ElementwiseEngine } from './elementwiseEngine.js';
import type { Engine } from './engine.js';
import { ProductEngine } from './productEngine.js';
import { TensorEngine } from './tensorEngine.js';

export interface Engines {
  readonly product: ProductEngine;
  readonly elementwise: ElementwiseEngine;
  readonly tensor: TensorEngine;
}

export function engineOf(data: LayerData): Engine {
  const { declared, whole } = data;
  if (declared.kind === 'tensor') return new TensorEngine(whole!, data.work);
  return declared.kind === 'product' ? new ProductEngine({ ...data, declared }) : new ElementwiseEngine(data.work);
}
