/** A layer of which every value is asked of other arithmetic. */
import type { ValueReader } from '../../nouns/capture.js';
import type { Kernel } from '../../nouns/kernel.js';
import type { Layer, Producer } from '../../nouns/model.js';
import type { ReplaySession } from '../../replay/session.js';

export interface Asked {
  readonly session: ReplaySession;
  readonly layer: Layer;
  readonly declared: Kernel;
  readonly producer: Producer;
  readonly observed: ValueReader;
  readonly from: number;
  readonly to: number;
  readonly mismatched: number;
  readonly subject: 'capture' | 'candidate';
}
