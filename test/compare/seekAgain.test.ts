/** In which order layers that nothing explained are sought again, and what makes an end of it. */
import { expect, it } from 'vitest';
import { seekAgain, type Together } from '../../src/compare/candidate/seekAgain.js';
import type { Layer } from '../../src/nouns/model.js';
import type { LayerReport } from '../../src/nouns/report.js';

type Told = 'floor' | 'unexplained' | 'in part';

function reportOf(name: string, told: Told): LayerReport {
  const isExplained = told === 'floor';
  const evidence = told === 'in part' ? { unexplained: { cut_short: true } } : {};
  const causes = [isExplained ? 'rounding-floor' : 'unexplained'];
  const diagnosis = { subject: 'candidate', causes, indistinguishable: [], evidence };
  return { name, op: 'linear', accepted: null, mismatched: 9, diagnosis } as never;
}

/** given: whether a layer is explained, asked with what others do or, at last, without. */
async function sought(layers: Readonly<Record<string, Told>>, given: (name: string, isBeside: boolean) => boolean) {
  const asked: string[] = [];
  const selected = Object.keys(layers).map((name) => ({ name }) as Layer);
  const own = Object.entries(layers).map(([name, told]) => reportOf(name, told));
  const floor = { cause: 'rounding-floor', coordinate: 'round', freedom: 0, label: 'downward' };
  const changesOf = (told: Told) => (told === 'floor' ? [floor] : []);
  const comparison = {
    selected,
    found: new Map(Object.entries(layers).map(([name, told]) => [name, { changes: changesOf(told) }])),
    accept: () => {},
    diagnosis: {
      isSpentAgain: false,
      forget: (name: string) => asked.push(`forget ${name}`),
      work: { renew: () => asked.push('renew') },
    },
  };
  const reports = new Map(selected.map((layer, i) => [layer, own[i]]));
  const compare: Together['compare'] = async ({ name }, shown) => {
    asked.push(shown ? `${name} beside ${shown.length}` : name);
    return given(name, shown !== undefined) ? reportOf(name, 'floor') : reportOf(name, 'unexplained');
  };
  await seekAgain({ comparison: comparison as never, layers: own, reports, compare });
  return { asked, causes: own.map(({ diagnosis }) => diagnosis!.causes[0]) };
}

it('what was searched in part is searched anew once one that took the search is explained', async () => {
  const layers = { one: 'unexplained', two: 'floor', three: 'in part' } as const;
  const { asked, causes } = await sought(layers, (name, isBeside) => (name === 'one' ? isBeside : !isBeside));
  expect(asked).toEqual(['one beside 1', 'three beside 1', 'renew', 'forget three', 'three']);
  expect(causes).toEqual(['rounding-floor', 'rounding-floor', 'rounding-floor']);
});

it('where nothing new is found nothing is asked for twice', async () => {
  const layers = { one: 'unexplained', two: 'floor', three: 'in part' } as const;
  const { asked, causes } = await sought(layers, () => false);
  expect(asked).toEqual(['one beside 1', 'three beside 1']);
  expect(causes).toEqual(['unexplained', 'rounding-floor', 'unexplained']);
});

it('beside nothing that others do nothing is sought', async () => {
  expect((await sought({ one: 'unexplained', two: 'in part' }, () => true)).asked).toEqual([]);
});
