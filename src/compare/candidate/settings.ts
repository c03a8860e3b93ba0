/** What two captures of one file ran with, as far as it changes what a layer computes. */
import type { Producer } from '../../nouns/model.js';
import { counted } from '../../text.js';

type Fact = 'threads' | 'cpuCapability' | 'arch' | 'frameworkVersion';

/** Fits "NAME ...". */
const WORDS: { readonly [F in Fact]: (value: Producer[F]) => string } = {
  threads: (threads) => (threads === undefined ? 'does not say its threads' : `runs ${counted(threads, 'thread')}`),
  cpuCapability: (cpu) => (cpu === undefined ? 'does not say its CPU' : `runs on ${cpu}`),
  arch: (arch) => (arch === undefined ? 'does not say its CPU' : `runs on ${arch}`),
  frameworkVersion: (version) => (version === undefined ? 'does not say its release' : `is of release ${version}`),
};
const FACTS = Object.keys(WORDS) as Fact[];

/** In words that fit "NAME ...", of each of them; null: none of it changes a value. matters: whether to replay the second side as this. */
export async function settingsApart(
  [first, second]: readonly [Producer, Producer],
  matters: (producer: Producer) => Promise<boolean>,
): Promise<readonly [string, string] | null> {
  const differing = FACTS.filter((fact) => first[fact] !== second[fact]);
  const taken = (facts: readonly Fact[]): Producer => ({
    ...second,
    ...Object.fromEntries(facts.map((fact) => [fact, first[fact]])),
  });
  if (differing.length === 0 || !(await matters(taken(differing)))) return null;
  const alone: Fact[] = [];
  // of one fact it is known
  for (const fact of differing) if (differing.length === 1 || (await matters(taken([fact])))) alone.push(fact);
  const told = alone.length > 0 ? alone : differing;
  const textOf = (producer: Producer) => told.map((fact) => WORDS[fact](producer[fact] as never)).join(' and ');
  return [textOf(first), textOf(second)];
}
