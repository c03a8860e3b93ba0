import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { openCandidate, openCapture, openHookDictionary, openModel, producerIn } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { fileName } from '../../src/load/fileName.js';
import { isProduct, type ProductLayer } from '../../src/nouns/model.js';
import { InputError } from '../../src/nouns/problem.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { counting, type Json, smallCapture, smallModel } from '../support/models.js';
import { npy, npz } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';

function withArrays(path: string): string {
  const model: Json = smallModel();
  model.arrays = path;
  model.layers[0].weight = { array: 'w' };
  return JSON.stringify(model);
}

const weights = npz({ w: npy('int8', [3, 4], counting(12)) });

describe('the npz that a model names', () => {
  test.each([
    ['m.json', 'm.npz', 'm.npz'],
    ['d/m.json', 'm.npz', 'd/m.npz'],
    ['d/m.json', './e/../m.npz', 'd/m.npz'],
    ['d/m.json', 'e/m.npz', 'd/e/m.npz'],
    ['d/m.json', '..m.npz', 'd/..m.npz'],
  ])('%s: %s is %s', async (model, named, found) => {
    const files = memoryFiles({ [model]: withArrays(named), [found]: weights });
    const opened = await openModel(files, model);
    expect([...(await (opened.layers[0] as ProductLayer).form.weight.read())]).toEqual(counting(12));
    await opened.close();
    expect(files.openCount()).toBe(0);
  });

  test.each([
    ['m.npz', 'd/m.npz: expected a file, found nothing; check the path'],
    ['../m.npz', "d/m.json arrays: expected a path inside the model's folder, got ../m.npz"],
    ['e/../../m.npz', "d/m.json arrays: expected a path inside the model's folder, got e/../../m.npz"],
    ['/m.npz', "d/m.json arrays: expected a path inside the model's folder, got /m.npz"],
    ['.', "d/m.json arrays: expected a path inside the model's folder, got ."],
    ['a\0b\u001b', "d/m.json arrays: expected a path inside the model's folder, got a\\x00b\\x1b"],
    ['link.npz', "d/m.json arrays: expected a path inside the model's folder, got link.npz"],
    ['folder/m.npz', "d/m.json arrays: expected a path inside the model's folder, got folder/m.npz"],
  ])('%s is refused', async (named, problem) => {
    const links = { '/d/link.npz': '/m.npz', '/d/folder': '/elsewhere' };
    const files = memoryFiles({ 'd/m.json': withArrays(named), 'm.npz': weights, 'elsewhere/m.npz': weights }, links);
    expect(await problemsOf(openModel(files, 'd/m.json'))).toEqual([problem]);
    expect(files.openCount()).toBe(0);
  });

  test('its problems and those of the model are said together', async () => {
    const model = JSON.parse(withArrays('m.npz'));
    model.inputs[0].scale = 0;
    const files = memoryFiles({ 'm.json': JSON.stringify(model), 'm.npz': 'no zip' });
    expect(await problemsOf(openModel(files, 'm.json'))).toEqual([
      expect.stringMatching(/^m\.npz: expected an npz file/),
      expect.stringMatching(/^m\.json inputs\[0\]\.scale: /),
    ]);
  });
});

describe('on a real file system', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('symbolic links out of the folder are refused, links inside it and to it are not', async () => {
    await mkdir(join(folder, 'models'));
    writeFileSync(join(folder, 'outside.npz'), weights);
    writeFileSync(join(folder, 'models/inside.npz'), weights);
    symlinkSync('../outside.npz', join(folder, 'models/out.npz'));
    symlinkSync('inside.npz', join(folder, 'models/in.npz'));
    symlinkSync('models', join(folder, 'linked'));
    writeFileSync(join(folder, 'models/out.json'), withArrays('out.npz'));
    writeFileSync(join(folder, 'models/in.json'), withArrays('in.npz'));
    const outside = join(folder, 'models/out.json');
    expect(await problemsOf(openModel(nodeFileSystem, outside))).toEqual([
      `${outside} arrays: expected a path inside the model's folder, got out.npz`,
    ]);
    for (const path of ['models/in.json', 'linked/in.json']) {
      const model = await openModel(nodeFileSystem, join(folder, path));
      expect(model.layers).toHaveLength(3);
      await model.close();
    }
  });

  test('a folder is no model, and one without arrays no capture', async () => {
    expect(await problemsOf(openModel(nodeFileSystem, folder))).toEqual([`${folder}: expected a file, got a folder`]);
    const [problem] = await problemsOf(openHookDictionary(nodeFileSystem, folder));
    expect(problem).toContain(
      `${folder}: expected files NAME.npy in the folder (a candidate may have LAYER.csv, LAYER.memh or LAYER.bin), got linked,`,
    );
    expect(problem).toContain(`did you mean ${join(folder, 'outside.npz')}?`);
  });
});

test('capture and candidate from files and folders', async () => {
  const files = memoryFiles({
    'm.json': JSON.stringify(smallModel()),
    'c.npz': smallCapture(),
    'mine/L1.npy': npy('int64', [5, 3], counting(15)),
  });
  const model = await openModel(files, 'm.json');
  const capture = await openCapture(files, 'c.npz', model);
  const candidate = await openCandidate(files, 'mine', model, capture, new Map([['L1', 'fc1']]));
  expect([...candidate.values.keys()]).toEqual(['fc1']);
  await Promise.all([candidate.close(), capture.close(), model.close()]);
  expect(files.openCount()).toBe(0);
  expect(await problemsOf(openCapture(files, 'no.npz', model))).toEqual([
    'no.npz: expected a file, found nothing; check the path',
  ]);
});

test.each(['<U3', ''])(
  'who computed a capture, as text (dtype "%s"): one problem, and no file stays open',
  async (dtype) => {
    const producer = npy('uint8', [12], counting(12), {
      header: `{'descr': '${dtype}', 'fortran_order': False, 'shape': (1,), }`,
    });
    const files = memoryFiles({
      'm.json': JSON.stringify(smallModel()),
      'c.npz': npz({ producer, x: npy('int8', [1], [1]) }),
    });
    expect((await producerIn(files, 'c.npz')).captured).toEqual(new Map([['x', [1]]]));
    const model = await openModel(files, 'm.json');
    expect(
      (await problemsOf(openCapture(files, 'c.npz', model))).filter((line) => line.startsWith('c.npz producer')),
    ).toEqual([
      expect.stringMatching(dtype === '' ? /c\.npz producer: expected numbers .*, got dtype '';/ : /got dtype <U3;/),
    ]);
    await model.close();
    expect(files.openCount()).toBe(0);
  },
);

test('a folder of npy files: names that are cut, or written as scripts do, stand for the whole ones', async () => {
  const [fc1, fc2] = ['a;b/fc1', `net/${'block.'.repeat(30)}conv`];
  const text = JSON.stringify(smallModel()).replaceAll('"fc1"', `"${fc1}"`).replaceAll('"fc2"', `"${fc2}"`);
  const values = {
    quant: npy('uint8', [5, 4], counting(20)),
    [fc1]: npy('uint8', [5, 3], counting(15)),
    [fc2]: npy('uint8', [5, 2], counting(10)),
  };
  const files = memoryFiles({
    'm.json': text,
    'c.npz': npz(values),
    [`mine/${fileName(fc2)}.npy`]: values[fc2],
    'mine/a_b_fc1.npy': values[fc1],
  });
  const model = await openModel(files, 'm.json');
  const capture = await openCapture(files, 'c.npz', model);
  const candidate = await openCandidate(files, 'mine', model, capture);
  expect([...candidate.values.keys()]).toEqual([fc1, fc2]);
});

describe('whatever is in the files, only problems come out', () => {
  const model = Buffer.from(withArrays('m.npz'));
  const capture = smallCapture();
  const deflatedCapture = npz(
    {
      quant: npy('uint8', [5, 4], counting(20)),
      fc1: npy('uint8', [5, 3], counting(15)),
      fc2: npy('uint8', [5, 2], counting(10)),
    },
    { deflate: true, zip64: true },
  );

  interface Files {
    readonly model: Uint8Array;
    readonly weights: Uint8Array;
    readonly capture: Uint8Array;
  }

  /** Opens and reads everything; anything else than an InputError fails the property. */
  async function outcome(given: Files): Promise<'read' | 'refused'> {
    const files = memoryFiles({ 'm.json': given.model, 'm.npz': given.weights, 'c.npz': given.capture });
    try {
      const opened = await openModel(files, 'm.json');
      const captured = await openCapture(files, 'c.npz', opened);
      for (const layer of opened.layers) if (isProduct(layer)) await layer.form.weight.read();
      for (const value of captured.values.values()) await value.read(0, value.samples);
      await openCandidate(files, 'c.npz', opened, captured);
      return 'read';
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      for (const { where, message } of error.problems) expect(`${where}: ${message}`).toMatch(/^[^\p{Cc}]+$/u);
      return 'refused';
    }
  }

  /** Overwrites, cuts out or inserts a few bytes. */
  const mutation = fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: fc.uint8Array({ maxLength: 4 }),
      drop: fc.oneof(fc.nat(4), fc.nat(200)),
    }),
    { minLength: 1, maxLength: 3 },
  );
  const mutated = (original: Uint8Array) =>
    mutation.map((steps) =>
      steps.reduce((bytes, { at, bytes: inserted, drop }) => {
        const start = Math.floor(at * bytes.length);
        return Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(start + drop)]);
      }, Buffer.from(original)),
    );
  const overwritten = (original: Uint8Array) =>
    fc.tuple(fc.nat(original.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([at, bytes]) => {
      const copy = Buffer.from(original);
      copy.set(bytes.subarray(0, copy.length - at), at);
      return copy;
    });

  test.each<[string, fc.Arbitrary<Files>]>([
    ['random captures', fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ model, weights, capture: bytes }))],
    ['random models', fc.uint8Array({ maxLength: 100 }).map((bytes) => ({ model: bytes, weights, capture }))],
    ['JSON that is no model', fc.json({ maxDepth: 4 }).map((text) => ({ model: Buffer.from(text), weights, capture }))],
    [
      'mutated captures',
      fc.oneof(mutated(capture), overwritten(capture)).map((bytes) => ({ model, weights, capture: bytes })),
    ],
    [
      'mutated deflated captures',
      fc
        .oneof(mutated(deflatedCapture), overwritten(deflatedCapture))
        .map((bytes) => ({ model, weights, capture: bytes })),
    ],
    [
      'mutated weights',
      fc.oneof(mutated(weights), overwritten(weights)).map((bytes) => ({ model, weights: bytes, capture })),
    ],
    [
      'mutated model text',
      fc.oneof(mutated(model), overwritten(model)).map((bytes) => ({ model: bytes, weights, capture })),
    ],
  ])('%s', async (_, files) => {
    await fc.assert(
      fc.asyncProperty(files, async (given) => {
        await outcome(given);
      }),
      { seed: 20240607, numRuns: 500 },
    );
  });

  /** Puts anything in the place of any value of a valid model. */
  const anyValue = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      0,
      -1,
      1e-300,
      1e300,
      2 ** 31,
      '',
      'fc1',
      '__proto__',
      'constructor',
      null,
      [],
      {},
      [[]],
      { array: 'w' },
      { array: '__proto__' },
    ),
  );
  const placed = fc
    .tuple(fc.nat(), anyValue, fc.constantFrom('replace', 'delete', 'rename'))
    .map(([index, value, how]) => {
      const json: Json = JSON.parse(model.toString());
      const places: [Json, string][] = [];
      const walk = (node: Json) => {
        for (const key of Object.keys(node)) {
          places.push([node, key]);
          if (typeof node[key] === 'object' && node[key] !== null) walk(node[key]);
        }
      };
      walk(json);
      const [node, key] = places[index % places.length];
      if (how === 'replace') node[key] = value;
      else if (how === 'delete') delete node[key];
      else Object.defineProperty(node, '__proto__', { value, enumerable: true });
      return { model: Buffer.from(JSON.stringify(json)), weights, capture };
    });

  test('models with one value replaced', async () => {
    const outcomes = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(placed, async (given) => {
        outcomes[await outcome(given)]++;
      }),
      { seed: 20240607, numRuns: 2000 },
    );
    // Neither everything nor nothing is refused.
    expect(outcomes.read).toBeGreaterThan(200);
    expect(outcomes.refused).toBeGreaterThan(200);
  });

  test('the unchanged files are read', async () => {
    expect(await outcome({ model, weights, capture })).toBe('read');
    expect(await outcome({ model, weights, capture: deflatedCapture })).toBe('read');
  });
});
