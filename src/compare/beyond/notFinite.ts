/** Layers whose floats are not all numbers: what holds NaN or infinity is said, and no cause is sought. */
import type { NotFiniteValue } from '../../diagnose/finding/evidence.js';
import { type NotFinite, NotFiniteCount } from '../../diff/notFinite.js';
import { isQuantized } from '../../nouns/value.js';
import { blocks } from '../../replay/blocks.js';
import type { LayerRun } from '../../replay/session.js';

/** Of these -inf hides a place, and what comes out is a number. */
const TAKE_INFINITY = ['softmax', 'logsumexp', 'scaled_dot_product_attention', 'where', 'maximum', 'minimum'];

/** own: what the judged side's output holds. */
export async function notFiniteValues(
  run: LayerRun,
  own: NotFinite | null,
  from: number,
  to: number,
): Promise<NotFiniteValue[]> {
  const { layer } = run.ready;
  const held: NotFiniteValue[] = own ? [{ value: layer.name, of: 'output', ...own }] : [];
  if (!own && TAKE_INFINITY.includes(layer.op)) return held;
  for (const [i, input] of run.inputs.entries()) {
    const params = run.ready.inputs.at(i);
    if (!params || isQuantized(params)) continue; // a state reads none that the model has
    const count = new NotFiniteCount(run.ready.shapes.inputs[i]);
    for (const [start, end] of blocks(from, to, input.features)) count.add(start, await input.read(start, end));
    const found = count.result();
    if (found) held.push({ value: layer.inputs[i], of: 'input', ...found });
  }
  return held;
}
