/** Layers that keep a state: their calls run whole and in their order, those before what is asked for too. */
import type { KeptState, State, TensorCall } from '../nouns/kernel.js';
import type { Producer } from '../nouns/model.js';
import { batchOf } from './calls.js';
import { joined, type Replayed } from './replayed.js';

/** What a call begins with. */
export type StateOf = (call: TensorCall) => State;

/** Whether a state begins anew with each call: the capture says so, or a hypothesis says otherwise. */
export function beginsAnew({ settings }: Producer, { otherwise }: Pick<KeptState, 'otherwise'> = {}): boolean {
  return (settings?.get('reset_variables') === '1') !== (otherwise === true);
}

/** run: of samples [from, to), a whole call. */
export function inWholeCalls(
  ends: readonly number[],
  kept: KeptState,
  isReset: boolean,
  run: (from: number, to: number, stateOf: StateOf) => Promise<Replayed>,
): (from: number, to: number) => Promise<Replayed> {
  /** The call that comes next, what it begins with, and what the last one began with: a block may end inside of a call. */
  let next = 0;
  let state: State | null = null;
  let before: State | null = null;
  const stateOf: StateOf = (call) => {
    if (isReset || !state) state = kept.begin(call);
    return state;
  };
  return async (from, to) => {
    const [first, last] = [batchOf(ends, from), batchOf(ends, to - 1)];
    if (first === next - 1) [next, state] = [first, before];
    else if (first < next || isReset) [next, state] = [isReset ? first : 0, null];
    const parts: Replayed[] = [];
    for (; next <= last; next++) {
      before = (state as State | null)?.map((numbers) => numbers.slice()) ?? null;
      const part = await run(ends[next - 1] ?? 0, ends[next], stateOf);
      if (next >= first) parts.push(part);
    }
    const start = ends[first - 1] ?? 0;
    return samplesOf(joined(parts), from - start, to - start);
  };
}

function samplesOf(whole: Replayed, from: number, to: number): Replayed {
  if (from === 0 && to === whole.rows) return whole;
  return { ...whole, rows: to - from, data: whole.data.subarray(from * whole.cols, to * whole.cols) };
}
