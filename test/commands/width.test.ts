import { expect, test } from 'vitest';
import { columnsOf } from '../../src/commands/width.js';
import type { OutputStream } from '../../src/nouns/io.js';

const stream = (isTTY: boolean, columns?: number) => ({ isTTY, columns }) as OutputStream;

test.each([
  ['120', false, undefined, 120], // a log that is wider than a terminal's 80
  ['60', true, 200, 60],
  [undefined, true, 132, 132],
  [undefined, true, undefined, 80],
  [undefined, true, 0, 80], // a terminal of a container that nobody looks at
  [undefined, false, undefined, 80],
  ['', true, 90, 90],
  ['0', true, 90, 90],
  ['19', true, 90, 90],
  ['99999', true, 90, 90],
  ['-5', true, 90, 90],
  ['wide', false, undefined, 80],
])('COLUMNS=%s, terminal %s of %s: %i columns', (asked, isTTY, columns, expected) => {
  expect(columnsOf({ env: asked === undefined ? {} : { COLUMNS: asked }, stdout: stream(isTTY, columns) })).toBe(
    expected,
  );
});
