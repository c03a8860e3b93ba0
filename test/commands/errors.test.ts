import { expect, it } from 'vitest';
import { cli } from '../support/cli.js';

const qdiff = cli();
const model = 'fixtures/pytorch/iris-avx2/model.json';
const foreign = 'fixtures/pytorch/digits-avx2/capture.npz';

it("a capture that is not this model's: the last line ends with the command that shows what is in it", async () => {
  const { exitCode, stderr } = await qdiff([model, foreign]);
  const lines = stderr.trimEnd().split('\n');
  expect(exitCode).toBe(2);
  expect(lines.at(-1)).toMatch(/ \(next: qdiff inspect fixtures\/pytorch\/digits-avx2\/capture\.npz\)$/);
  expect(lines.filter((line) => line.includes('next:')).length).toBe(1);
});

it('a file that is not there has nothing to inspect', async () => {
  expect((await qdiff([model, 'nowhere.npz'])).stderr).not.toContain('next:');
});
