/** The file behind --candidate-model, and what its layers are to those of the model. */
import { inGraphOrder } from '../compare/inGraphOrder.js';
import { besideModel, type CandidateModel } from '../compare/models/beside.js';
import { bringsModel, openCapture, openModel, producerIn } from '../frontends/open.js';
import type { Capture } from '../nouns/capture.js';
import type { Io } from '../nouns/io.js';
import type { Model } from '../nouns/model.js';
import { computedBy } from '../validate/producer.js';
import { type Open, usage } from './open.js';

interface Asked {
  readonly path: string;
  /** The npz with its values; absent: it is replayed. */
  readonly values?: string;
  readonly map?: readonly unknown[];
}

export async function openCandidateModel(
  io: Io,
  { path, values: given, map = [] }: Asked,
  { model, capture }: { readonly model: Model; readonly capture: Capture },
  open: Open,
): Promise<CandidateModel> {
  if (map.length > 0) {
    throw usage('expected it without --candidate-model, whose layers are matched by name and weights', '--map');
  }
  const values = given ?? ((await bringsModel(io.fs, path)) ? path : undefined);
  const ranBy = values === undefined ? {} : await producerIn(io.fs, values);
  const other = await open(openModel(io.fs, path, ranBy));
  if (values === undefined) return besideModel(model, capture, other, null);
  const file = await open(openCapture(io.fs, values, other, 'values'));
  return besideModel(model, capture, other, await inGraphOrder(computedBy(other, file), file));
}
