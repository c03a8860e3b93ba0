/** One input from its number to its faults. */
import { type Case, caseOf } from './cases.js';
import type { Corpus } from './corpus.js';
import { type Result, run } from './io.js';
import { brokenLaws } from './laws.js';
import { disagreement, type Numpy, ownOpinion } from './numpy.js';
import { type Fault, faultsOf } from './oracle.js';
import { Random } from './random.js';

export interface Outcome {
  readonly one: Case;
  readonly result: Result;
  readonly ms: number;
  readonly faults: readonly Fault[];
}

/** Of files of these fixtures' size. */
const SLOW_MS = 2000;
const LAW_CHANCE: Readonly<Record<string, number>> = { capture: 0.06, model: 0.06, generated: 0.25 };

export async function tryInput(
  seed: number,
  index: number,
  corpus: Corpus,
  numpy: Numpy | null,
  kind?: string,
): Promise<Outcome> {
  const one = await caseOf(seed, index, corpus, kind);
  const before = process.cpuUsage();
  const result = await run(one.argv, one.files, one);
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000; // of work: other processes of the machine do not count
  const faults = [...faultsOf(one, result)];
  if (result.code === 70) faults[0] = { ...faults[0], detail: await whereIt(one) };
  if (ms > SLOW_MS) faults.push({ kind: 'slow', detail: `${Math.round(ms)} ms` });
  if (one.npz && numpy) {
    const different = disagreement(await ownOpinion(one.npz), await numpy.opinion(one.npz));
    if (different) faults.push(different);
  }
  const random = new Random(~seed, index);
  if (random.chance(LAW_CHANCE[one.kind] ?? 0)) faults.push(...(await brokenLaws(one, result, random)));
  return { one, result, ms, faults };
}

/** What a defect says, and the place of the code that it comes from. */
async function whereIt(one: Case): Promise<string> {
  const { stderr } = await run([...one.argv, '-v'], one.files, one);
  const message = /a defect of qdiff [^:]*: (.*?);/.exec(stderr)?.[1] ?? '';
  return `${/\n\s+at (\S+)/.exec(stderr)?.[1]}: ${message}\n${stderr}`;
}
