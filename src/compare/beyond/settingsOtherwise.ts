/** The declared kernel's own arithmetic where it was run otherwise: with other threads, on another CPU, in another release. */
import { tensorSteps } from '../../kernels/kernel.js';
import type { Kernel } from '../../nouns/kernel.js';
import type { Layer, Producer } from '../../nouns/model.js';
import { vectorsOf } from '../../replay/tensor.js';
import { counted } from '../../text.js';

/** As many cores as who runs a model by hand has. */
const MOST_THREADS = 64;

export interface WithThreads {
  readonly threads: number;
  readonly kernel: Kernel;
}

/** Forms that another number of threads makes of a layer, the fewest first; none where threads change nothing. */
export function withOtherThreads(kernel: Kernel, layer: Layer, { threads: declared = 1 }: Producer): WithThreads[] {
  const steps = tensorSteps(kernel, layer);
  if (!steps?.sharedByThreads) return [];
  return Array.from({ length: MOST_THREADS }, (_, i) => i + 1)
    .filter((threads) => threads !== declared)
    .map((threads) => {
      const own = { ...steps, run: (call: Parameters<typeof steps.run>[0]) => steps.run({ ...call, threads }) };
      return { threads, kernel: { ...kernel, ops: { ...kernel.ops, [layer.op]: own } } };
    });
}

export const threadsText = (threads: number) => counted(threads, 'thread');

/** Of two captures by the same kernel: what each ran with, in words that fit "NAME ..."; null: nothing that is known differs. */
export function settingsOf(producers: readonly [Producer, Producer]): readonly [string, string] | null {
  const facts: readonly ((producer: Producer) => string)[] = [
    ({ threads = 1 }) => `runs ${threadsText(threads)}`,
    (producer) =>
      `computes in vectors of ${vectorsOf(producer) === 'default' ? 'SSE' : vectorsOf(producer).toUpperCase()}`,
    ({ arch = 'x86' }) => `runs on ${arch}`,
    ({ frameworkVersion = 'an unknown release' }) => `is of release ${frameworkVersion}`,
  ];
  const [first, second] = producers.map((producer) => facts.map((fact) => fact(producer)));
  const differing = facts.flatMap((_, i) => (first[i] === second[i] ? [] : [i]));
  if (differing.length === 0) return null;
  const [a, b] = [first, second].map((words) => differing.map((i) => words[i]).join(' and '));
  return [a, b];
}
