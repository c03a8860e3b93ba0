/** What a candidate's values mean, where they are not stored as the file says: with the other sign, or in another order. */
import type { Capture } from '../../nouns/capture.js';
import { inRightOrder } from './storedOrders.js';
import { type Beside, inRightSigns } from './storedSigns.js';

/** What is wrong with a layer whose values are stored so. */
export const STORED_OTHERWISE: readonly string[] = ['signedness', 'output-order'];

/** Null: as they are stored. */
export async function asMeant(candidate: Capture, beside: Beside): Promise<Capture | null> {
  const signs = await inRightSigns(candidate, beside);
  return (await inRightOrder(signs ?? candidate, beside)) ?? signs;
}
