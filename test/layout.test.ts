/** src/README.md is the map. Here it is held to the code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { kernels } from '../src/kernels/registry.js';
import {
  cycles,
  downArrows,
  fullerThan,
  functionsLongerThan,
  longerThan,
  medianLength,
  notOnTheMap,
  type Registry,
  roomsOf,
  type Source,
  sourceOf,
  unregistered,
  withBareArithmetic,
} from './support/layout.js';

const SRC = 'src';
const rooms = roomsOf(readFileSync(join(SRC, 'README.md'), 'utf8'));
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));
/** AssemblyScript: another language, of which lines are counted alone. */
const isAssembly = ({ path }: { readonly path: string }) => path.startsWith('accelerate/assembly/');
const sources = files.filter((file) => !isAssembly(file)).map(({ path, text }) => sourceOf(path, text));
const assembly = files.filter(isAssembly).map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));

/** Lists that are to shrink: what is not so yet. A line that holds no more has to go. */
const CYCLES: readonly string[] = [];
const LONG_FILES: readonly string[] = [];
const LONG_FUNCTIONS: readonly string[] = [];

/** Lists: a file a row. */
const LISTS: readonly string[] = ['diagnose/causes/', 'kernels/', 'kernels/steps/', 'ops/'];

/** Words: as long as they are. */
const MAY_BE_LONG = /^diagnose\/words\/|\/words\.ts$/;

const REGISTRIES: readonly Registry[] = [
  {
    folder: 'kernels',
    registry: 'kernels/registry.ts',
    helpers: [
      'departure.ts',
      'everyRank.ts',
      'families.ts',
      'kernel.ts',
      'libraries.ts',
      'named.ts',
      'onnxRuntime.ts',
      'pyTorch.ts',
      'pyTorchFloats.ts',
      'realAttention.ts',
      'realFolded.ts',
      'realForm.ts',
      'realResample.ts',
      'realRows.ts',
      'realSum.ts',
      'realWindows.ts',
      'reals.ts',
      'reference.ts',
      'tflite.ts',
      'tfliteLayer.ts',
      'torchaoLayer.ts',
      'verification.ts',
    ],
    type: 'Kernel',
  },
  {
    folder: 'diagnose/causes',
    registry: 'diagnose/registry.ts',
    helpers: ['count.ts', 'deciding.ts', 'placeAt.ts', 'relu.ts'],
  },
  {
    folder: 'commands',
    registry: 'commands/registry.ts',
    helpers: [
      'baseline.ts',
      'candidateModel.ts',
      'command.ts',
      'compareOptions.ts',
      'comparePairs.ts',
      'config.ts',
      'documentCommand.ts',
      'folder.ts',
      'open.ts',
      'options.ts',
      'output.ts',
      'progress.ts',
      'givenOnce.ts',
      'guessedOption.ts',
      'refusedOption.ts',
      'runtimes.ts',
      'unwritable.ts',
      'width.ts',
    ],
    type: 'CliCommand',
  },
  { folder: 'report', registry: 'report/registry.ts', type: 'Reporter' },
  {
    folder: 'documents',
    registry: 'schemas.ts',
    helpers: ['activation.ts', 'blob.ts', 'checks.ts', 'fields.ts', 'marks.ts', 'shards.ts'], // a blob is for qdiff alone
  },
  { folder: 'ops', registry: 'ops/registry.ts', helpers: ['named.ts', 'op.ts'] },
  {
    folder: 'frontends', // front ends are folders
    registry: 'frontends/registry.ts',
    helpers: ['folder.ts', 'goldenVectors.ts', 'hookDictionary.ts', 'kind.ts', 'modelFile.ts', 'open.ts'],
  },
  { folder: 'analyze/lint/rules', registry: 'analyze/lint/registry.ts', helpers: [] },
];

describe('the code', () => {
  test('every room is on the map, and the map shows no other', () => {
    expect(notOnTheMap(rooms, sources)).toEqual([]);
    expect(rooms.filter((room) => !existsSync(join(SRC, room)))).toEqual([]);
    expect(rooms.length).toBeGreaterThan(20);
  });

  test('imports point up the map', () => {
    expect(downArrows(rooms, sources)).toEqual([]);
  });

  test('no files import each other', () => {
    expect(cycles(sources).sort()).toEqual(CYCLES);
  });

  const present = REGISTRIES.filter(({ registry }) => existsSync(join(SRC, registry)));
  test.each(present)('the files of $folder are the rows of $registry', (registry) => {
    expect(unregistered(registry, sources)).toEqual([]);
  });

  test('every kernel that has a file is listed', () => {
    expect(kernels.length).toBe(sources.filter(({ exports }) => exports.includes('Kernel')).length);
  });

  test('rounding and width have names: no bare arithmetic where values are replayed, compared and explained', () => {
    expect(withBareArithmetic(['replay/', 'diff/', 'diagnose/', 'compare/'], sources)).toEqual([]);
  });

  test('files have at most 400 lines', () => {
    expect(
      longerThan(
        400,
        [...sources, ...assembly].filter(({ path }) => !MAY_BE_LONG.test(path)),
      ).sort(),
    ).toEqual(LONG_FILES);
  });

  test('folders have at most 40 files, but for lists', () => {
    expect(fullerThan(40, sources).sort()).toEqual(LISTS);
  });

  test('functions have 8 lines, and at most 60', () => {
    expect(medianLength(sources)).toBeLessThanOrEqual(8);
    const functions = sources.filter(({ path }) => !MAY_BE_LONG.test(path));
    expect(functionsLongerThan(60, functions).sort()).toEqual(LONG_FUNCTIONS);
  });
});

/** Small inventions: what the checks have to see. */
describe('the checks', () => {
  const file = (path: string, ...imports: string[]): Source => ({
    path,
    imports,
    lines: 1,
    exports: [],
    functions: [],
    bare: [],
  });
  const map = ['nouns/', 'text.ts', 'diff/'];

  it('reads the rooms from the table that begins with "where", and from no other', () => {
    const table =
      '| where      | what |\n| ---------- | ---- |\n| `nouns/`   | data, as `text.ts` |\n| `text.ts`  | words |\n';
    expect(roomsOf(`# Map\n\n${table}\n| package | for |\n| --- | --- |\n| \`zod\` | types |\n`)).toEqual(
      map.slice(0, 2),
    );
  });

  it.each([
    ["import type { A } from '../nouns/a.js';", 'nouns/a.ts'],
    ["export { a } from './a.js';", 'diff/a.ts'],
    ["export type * from './a.js';", 'diff/a.ts'],
    ["const a = async () => (await import('../text.js')).a;", 'text.ts'],
    ["let a: import('./steps/a.js').A;", 'diff/steps/a.ts'],
    ["import rows from './rows.json' with { type: 'json' };", 'diff/rows.json'],
  ])('reads %s', (text, imported) => {
    expect(sourceOf('diff/b.ts', text).imports).toEqual([imported]);
  });

  it('sees bare arithmetic, in its rooms alone', () => {
    const text = 'const a = (x: Promise<Map<string, A>>) => [x >> 2, Math.round(x), BigInt(x), 1 << 4];';
    const sources = ['diff/b.ts', 'numeric/b.ts'].map((path) => sourceOf(path, text));
    const found = ['x >> 2', 'Math.round(x)', 'BigInt(x)'].map((bare) => `diff/b.ts: ${bare}`);
    expect(withBareArithmetic(['diff/'], sources)).toEqual(found);
  });

  it('reads no package and no comment as an import', () => {
    expect(sourceOf('diff/b.ts', "// from './a.js'\nimport * as z from 'zod/mini';\n").imports).toEqual([]);
  });

  it('reads functions that have a body, and the types of constants', () => {
    const text =
      'export const a: Kernel<A> = {\n  f() {\n    return () => 1;\n  },\n};\nexport function g() {}\nclass B {\n  h() {\n  }\n}\n';
    expect(sourceOf('a.ts', text)).toMatchObject({ lines: 10, exports: ['Kernel'], functions: [3, 1, 2] });
  });

  it('sees a room that is not on the map', () => {
    expect(notOnTheMap(map, [file('nouns/a.ts'), file('attic/a.ts'), file('words.ts')])).toEqual([
      'attic/',
      'words.ts',
    ]);
  });

  it('sees an arrow that points down, and lets others be', () => {
    const up = [file('diff/a.ts', 'diff/b.ts', 'text.ts'), file('text.ts', 'nouns/a.ts')];
    expect(downArrows(map, up)).toEqual([]);
    expect(downArrows(map, [...up, file('nouns/a.ts', 'nouns/b.ts', 'diff/a.ts')])).toEqual([
      'nouns/a.ts -> diff/a.ts',
    ]);
  });

  it('sees a cycle of three, and none where two ways meet', () => {
    const meeting = [file('a.ts', 'b.ts', 'c.ts'), file('b.ts', 'd.ts'), file('c.ts', 'd.ts'), file('d.ts')];
    expect(cycles(meeting)).toEqual([]);
    expect(cycles([...meeting.slice(0, 3), file('d.ts', 'b.ts')])).toEqual(['b.ts d.ts']);
    expect(cycles([file('a.ts', 'b.ts'), file('b.ts', 'c.ts'), file('c.ts', 'a.ts', 'e.ts')])).toEqual([
      'a.ts b.ts c.ts',
    ]);
  });

  describe('of a registry', () => {
    const registry = { folder: 'ops', registry: 'ops/registry.ts', helpers: ['op.ts'] };
    const list = file('ops/registry.ts', 'ops/op.ts', 'ops/add.ts');
    const [helper, add] = [file('ops/op.ts'), file('ops/add.ts')];

    it.each([
      ['nothing wrong', [list, helper, add, file('ops/fields/shape.ts')], []],
      ['a file without a row', [list, helper, add, file('ops/mul.ts')], ['ops/mul.ts is no row of ops/registry.ts']],
      ['a row without a file', [list, helper], ['ops/add.ts is no file']],
      ['a helper that is gone', [file('ops/registry.ts', 'ops/add.ts'), add], ['ops/op.ts is no file']],
    ])('%s', (_, files, problems) => {
      expect(unregistered(registry, files)).toEqual(problems);
    });

    it('a file that holds two rows, and one that holds none', () => {
      const twice = { ...add, exports: ['Op', 'Op'] };
      expect(unregistered({ ...registry, type: 'Op' }, [list, helper, twice])).toEqual([
        'ops/add.ts does not have one Op',
      ]);
      expect(unregistered({ ...registry, type: 'Op' }, [list, helper, add])).toEqual([
        'ops/add.ts does not have one Op',
      ]);
    });

    it('by type, where most files of the folder are no rows', () => {
      const byType = { folder: 'ops', registry: 'ops/registry.ts', type: 'Op' };
      const mul = { ...file('ops/mul.ts'), exports: ['Op'] };
      expect(unregistered(byType, [list, helper, add])).toEqual([]);
      expect(unregistered(byType, [list, helper, add, mul])).toEqual(['ops/mul.ts is no row of ops/registry.ts']);
    });
  });

  it('sees a full folder, whatever is in folders of it', () => {
    expect(fullerThan(1, [file('ops/a.ts'), file('ops/b.ts'), file('a.ts'), file('ops/c/a.ts')])).toEqual(['ops/']);
  });

  it('sees long files and functions', () => {
    const long = { ...file('a.ts'), lines: 401, functions: [3, 61, 8] };
    expect(longerThan(400, [long, { ...long, path: 'b.ts', lines: 400 }])).toEqual(['a.ts']);
    expect(functionsLongerThan(60, [long, { ...long, path: 'b.ts', functions: [60] }])).toEqual(['a.ts']);
    expect(medianLength([long])).toBe(8);
  });
});
