/** This build and another one, in turns: what a change costs. The other is a checkout that is built, named by QDIFF_AGAINST. */
import { join } from 'node:path';
import { makeCase } from './case.js';
import {
  files,
  folder,
  inTurns,
  mib,
  ms,
  one,
  print,
  process_,
  qdiff,
  root,
  shapeName,
  spawned,
  times,
} from './processes.js';

const ROUNDS = 11;

export async function versions(against: string): Promise<void> {
  const other = join(against, 'bin/qdiff.js');
  const [small, large] = [join(folder, 'versions-small'), join(folder, 'versions-large')];
  await makeCase(small, one(4, 16), 150);
  await makeCase(large, one(1024, 1024), 512);
  const differing = files(join(root, 'fixtures/pytorch/iris-avx2'));
  const saturating = ['--kernel', 'fbgemm-avx2', '--max-mismatched', '100'];
  const cases: readonly (readonly [name: string, args: readonly string[]])[] = [
    ['--version', ['--version']],
    [shapeName(150, 4, 16), files(small)],
    [shapeName(512, 1024, 1024), files(large)],
    ['iris-avx2, diagnosed', [...differing, '--max-mismatched', '100']],
    [`${shapeName(512, 1024, 1024)}, diagnosed`, [...files(large), ...saturating]],
  ];
  const rows = cases.map(([name, args]) => {
    const run = (label: string, executable: string) => process_(label, process.execPath, executable, ...args);
    const taken = inTurns([run('other', other), run('own', qdiff)], ROUNDS);
    const [before, now] = [taken.get('other')!, taken.get('own')!];
    const peak = (executable: string) => spawned(process.execPath, [executable, ...args]).maxRss;
    return [name, ms(before), ms(now), times(now / before), `${mib(peak(other))} / ${mib(peak(qdiff))}`];
  });
  print('Two versions, whole process, CPU time', ['', 'other, ms', 'this, ms', 'ratio', 'memory, MiB'], rows);
}
