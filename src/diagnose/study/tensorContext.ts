import type { LayerRun } from '../../replay/session.js';

/** What of a layer on whole values no hypothesis changes. */
export type TensorContext = Pick<LayerRun, 'ready' | 'inCalls'>;
