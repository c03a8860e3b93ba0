import zlib from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { ZipFile } from 'yazl';
import { openNpz } from '../../src/load/npz.js';
import { npzBytes } from '../../src/save/npz.js';
import { fileSystem } from '../fuzz/io.js';

test('few members are compressed at once, whose memory is larger than they are', async () => {
  const { deflateRaw } = zlib;
  let [now, most] = [0, 0];
  const spy = vi.spyOn(zlib, 'deflateRaw').mockImplementation(((bytes: Buffer, options: object, done: Done) => {
    most = Math.max(most, ++now);
    deflateRaw(bytes, options, (error, made) => {
      now--;
      done(error, made);
    });
  }) as typeof deflateRaw);
  const names = Array.from({ length: 100 }, (_, i) => `l${i}`);
  // every third is small: yazl has no stream for it
  const arrays = names.map((name, i) => {
    const data = new Int8Array(i % 3 === 0 ? 2 : 1 << 14).fill(-i);
    return [name, { shape: [data.length], data }] as const;
  });
  const bytes = await npzBytes(new Map(arrays));
  spy.mockRestore();
  const opened = await openNpz(fileSystem(new Map([['a.npz', bytes]])), 'a.npz');
  expect([...opened.arrays.keys()]).toEqual(names);
  expect(bytes.length).toBeLessThan(50_000);
  for (const [name, { data }] of arrays) expect(await opened.arrays.get(name)!.read()).toEqual(data);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(16);
});

test('what is written is kept apart from what yazl walks over for each member', async () => {
  const { addBuffer } = ZipFile.prototype;
  let most = 0;
  const spy = vi.spyOn(ZipFile.prototype, 'addBuffer').mockImplementation(function (this: ZipFile, ...given) {
    addBuffer.apply(this, given);
    most = Math.max(most, (this as unknown as { entries: unknown[] }).entries.length);
  });
  const names = Array.from({ length: 200 }, (_, i) => `l${i}`);
  const bytes = await npzBytes(new Map(names.map((name, i) => [name, { shape: [1], data: Uint8Array.of(i) }])));
  spy.mockRestore();
  const { arrays } = await openNpz(fileSystem(new Map([['a.npz', bytes]])), 'a.npz');
  expect([...arrays.keys()]).toEqual(names);
  expect(most).toBe(16);
});

test('a header of any length ends on a line of 64 bytes, and says the shape', async () => {
  const [shapes, rests] = [new Map<string, number[]>(), new Set<number>()];
  for (let axes = 0; axes < 40; axes++)
    for (const last of [1, 10, 100]) shapes.set(`${axes} of ${last}`, [...Array(axes).fill(1), last]);
  const arrays = [...shapes].map(
    ([name, shape]) => [name, { shape, data: new Uint8Array(shape.at(-1)!).fill(7) }] as const,
  );
  const { arrays: read } = await openNpz(fileSystem(new Map([['a.npz', await npzBytes(new Map(arrays))]])), 'a.npz');
  for (const [name, { shape, data }] of arrays) {
    const own = read.get(name)!;
    expect([own.shape, await own.read()]).toEqual([shape, data]);
    rests.add(`(${shape.join(', ')})`.length % 64);
  }
  expect(rests.size).toBe(64);
});

type Done = (error: Error | null, made: Buffer) => void;
