import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outputOf, runs } from '../support/tools.js';

const ROOT = join(import.meta.dirname, '..', '..');
const pythons = [process.env.QDIFF_PYTHON, join(ROOT, '.venv/bin/python'), 'python3'];
/** expected.json names the numpy that the vectors were made with: another draws the same layers, but says so in each file. */
const NUMPY = '2.4.6';
const python = pythons.find(
  (path) =>
    path &&
    (!path.includes('/') || existsSync(path)) &&
    runs(path, '-c', `import numpy; assert numpy.__version__ == "${NUMPY}"`),
);

test.skipIf(!python)(`the generator makes every golden vector again (needs a Python with numpy ${NUMPY})`, () => {
  const said = outputOf(python!, [join(ROOT, 'test/golden/make_golden.py'), '--check'], ROOT);
  expect(said).toMatch(/^\d{3,4} files compared, 0 differ\n$/);
});
