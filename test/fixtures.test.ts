/**
 * Real captures: fixtures/RUNTIME/LEAF, computed by the runtimes themselves (their README.md says which, on what). Elsewhere a
 * capture is made by the replay that then has to explain it; here the world has its say.
 * A leaf is model.json, capture.npz and expected.json; adding one is dropping the three in.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { cli } from './support/cli.js';

const ROOT = 'fixtures';
const qdiff = cli();

interface Expected {
  /** What this leaf tells apart that no other one does. */
  readonly discriminates: string;
  /** The kernel that computed the capture: it has to be among those that explain each layer. */
  readonly ran: string;
  /** The kernel that the answer has to name, where the data leave one. */
  readonly kernel?: string;
  readonly exit: number;
  readonly layers: Readonly<Record<string, ExpectedLayer>>;
  /** What the answer says wrongly today: it is not asserted, and causes may be left out for it. */
  readonly not_yet?: readonly string[];
}

interface ExpectedLayer {
  readonly values: number;
  readonly mismatched: number;
  readonly max_abs_diff?: number;
  readonly causes?: readonly string[];
  readonly subject?: string;
}

const folders = (path: string) =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(path, entry.name)] : []));

/** Others have their own tests: vectors that models computed, captures of which a part is missing, files that are only read. */
const OTHERS = ['kernels', 'ops', 'onnxruntime-ops', 'coverage', 'onnx', 'tflite', 'reports'].map((name) =>
  join(ROOT, name),
);

const leaves = folders(ROOT)
  .filter((runtime) => !OTHERS.includes(runtime))
  .flatMap(folders)
  .map((folder) => ({ folder, expected: readExpected(folder) }));

function readExpected(folder: string): Expected {
  return JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
}

test('there are captures of each runtime', () => {
  const runtimes = new Set(leaves.map(({ folder }) => dirname(folder)));
  expect([...runtimes].sort()).toEqual(['litert', 'onnxruntime', 'pytorch'].map((name) => join(ROOT, name)));
});

describe.each(leaves)('$folder: $expected.discriminates', ({ folder, expected }) => {
  it('has its provenance in the README', () => {
    const named = basename(folder).replace(/^(iris|digits)-.*/, '$1-*');
    expect(readFileSync(join(dirname(folder), 'README.md'), 'utf8')).toContain(`| \`${named}\` |`);
  });

  it('is answered', async () => {
    const files = ['model.json', 'capture.npz'].map((file) => join(folder, file));
    const { stdout, stderr, exitCode } = await qdiff([...files, '--reporter', 'json']);
    expect([exitCode, stderr]).toEqual([expected.exit, '']);
    const report = JSON.parse(stdout);
    expect(report.layers.map((layer: { name: string }) => layer.name)).toEqual(Object.keys(expected.layers));
    expect(report.verdict).toBe(expected.exit === 0 ? 'match' : 'mismatch');
    for (const { name, diagnosis, ...counts } of report.layers) {
      const { causes, subject, ...wanted } = expected.layers[name];
      expect(counts, name).toMatchObject(wanted);
      if (wanted.mismatched === 0) {
        expect(diagnosis, name).toBeNull();
        continue;
      }
      const whole = { subject, of: wanted.mismatched, explained: wanted.mismatched, lost: 0 };
      expect(diagnosis, name).toMatchObject(expected.kernel ? { ...whole, kernel: expected.kernel } : whole);
      expect(diagnosis.explained_by, name).toContain(expected.ran);
      expect(diagnosis.explained_by, name).not.toContain(report.kernel);
      expect(causes ?? expected.not_yet, `${name}: causes, or why there are none`).toBeDefined();
      if (causes) expect(diagnosis.causes, name).toEqual(causes);
    }
  });
});
