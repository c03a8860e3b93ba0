/** Layers of which no sample is computed alone: their calls run whole, and where a state is kept in their order, those before what is asked for too. */
import type { LstmAttributes, SvdfAttributes } from '../nouns/attributes.js';
import type { KeptState, State, TensorCall } from '../nouns/kernel.js';
import type { Producer, TensorLayer } from '../nouns/model.js';
import type { Shape } from '../nouns/value.js';
import { rowOf } from '../tensor/shape.js';
import { batchOf } from './calls.js';
import { joined, type Replayed } from './replayed.js';

/** What a call begins with. */
export type StateOf = (call: TensorCall) => State;

/** Whether a state begins anew with each call: the capture says so, or a hypothesis says otherwise. */
export function beginsAnew({ settings }: Producer, { otherwise }: Pick<KeptState, 'otherwise'> = {}): boolean {
  return (settings?.get('reset_variables') === '1') !== (otherwise === true);
}

/** Why calls of these sizes cannot follow each other in one state, or null. shape: of what the layer reads. */
export function whyNotOneState(
  { sequences }: KeptState,
  { form: { attributes } }: TensorLayer,
  shape: Shape | undefined,
  sizes: readonly number[],
): string | null {
  const { batch, inputs } = attributes as LstmAttributes | SvdfAttributes;
  const { dims } = shape ?? rowOf(inputs);
  const counts = sizes.map((samples) => sequences(attributes, [samples, ...dims]));
  const held = batch ?? counts[0];
  const call = counts.findIndex((count) => count !== held);
  if (call < 0) return null;
  const whose = batch === undefined ? "the first call's" : "the file's";
  return `its state is of ${held} sequence${held === 1 ? '' : 's'} (${whose}), and call ${call + 1} is of ${counts[call]}`;
}

/** run: of samples [from, to), a whole call. kept: null where nothing goes from call to call. */
export function inWholeCalls(
  ends: readonly number[],
  kept: KeptState | null,
  isReset: boolean,
  run: (from: number, to: number, stateOf: StateOf) => Promise<Replayed>,
): (from: number, to: number) => Promise<Replayed> {
  /** The call that comes next, and what it begins with. */
  let next = 0;
  let state: State | null = null;
  const stateOf: StateOf = (call) => {
    if (isReset || !state) state = kept?.begin(call) ?? [];
    return state;
  };
  /** The call before it: a block may end inside of one, and a call is not run again for its rest. */
  let last: Replayed | null = null;
  const callAt = async (call: number): Promise<Replayed> => {
    if (last && call === next - 1) return last;
    if (call < next || isReset) [next, state] = [isReset ? call : 0, null];
    do last = await run(ends[next - 1] ?? 0, ends[next], stateOf);
    while (next++ < call);
    return last;
  };
  return async (from, to) => {
    const parts: Replayed[] = [];
    for (let call = batchOf(ends, from); call <= batchOf(ends, to - 1); call++) {
      const start = ends[call - 1] ?? 0;
      parts.push(samplesOf(await callAt(call), Math.max(from, start) - start, Math.min(to, ends[call]) - start));
    }
    return joined(parts);
  };
}

function samplesOf(whole: Replayed, from: number, to: number): Replayed {
  if (from === 0 && to === whole.rows) return whole;
  return { ...whole, rows: to - from, data: whole.data.subarray(from * whole.cols, to * whole.cols) };
}
