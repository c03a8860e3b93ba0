/** FBGEMM's depthwise kernel knows no VNNI: what is said of it must not send anyone to another CPU. */
import { describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';

const run = cli();
const qdiff = (...argv: readonly string[]) => run(argv);
const filesOf = (leaf: string) => ['model.json', 'capture.npz'].map((name) => `fixtures/pytorch/${leaf}/${name}`);

async function fixesOf(leaf: string, layer: string): Promise<string[]> {
  const { stdout } = await qdiff(...filesOf(leaf), '--layer', layer, '--reporter', 'json');
  const [{ diagnosis }] = JSON.parse(stdout).layers.filter(({ name }: { name: string }) => name === layer);
  return diagnosis.fixes.map(({ text }: { text: string }) => text);
}

describe('int16 saturation of a depthwise convolution', () => {
  it.each(['cnn-fbgemm', 'cnn-x86-avx2'])('%s: is on every CPU, and the way out is another engine', async (leaf) => {
    const { stdout } = await qdiff(...filesOf(leaf), '--layer', 'dw');
    expect(stdout).toContain("dw - PyTorch: int16 saturation of FBGEMM's depthwise kernel, on every CPU");
    const fixes = await fixesOf(leaf, 'dw');
    expect(fixes).toContainEqual(expect.stringContaining('no CPU avoids it'));
    expect(fixes).not.toContainEqual(expect.stringContaining('run on a CPU'));
  });

  it('but not of one that is not depthwise', async () => {
    const fixes = await fixesOf('cnn-x86-avx2', 'stem');
    expect(fixes).toContainEqual(expect.stringContaining('run on a CPU with AVX512-VNNI'));
    expect(fixes).not.toContainEqual(expect.stringContaining('no CPU avoids it'));
  });
});

describe('explain', () => {
  const value = (...more: string[]) =>
    qdiff(
      'explain',
      ...filesOf('cnn-x86-avx2'),
      '--layer',
      'stem',
      '--channel',
      '5',
      '--sample',
      '0',
      '--at',
      '0,3',
      ...more,
    );

  it('shows the patch as it lies in the image, padding in brackets', async () => {
    const { stdout } = await value();
    expect(stdout).toContain(
      [
        'the patch of 0,3, 3 x 3, padding in brackets: x, and w:',
        '  (0) (0) (0)    -20  92 108',
        '    0  48 191     -4  76 127',
        '  112 239 255    127 102  88',
      ].join('\n'),
    );
  });

  it('has it in its document, cell by cell', async () => {
    const { patch } = JSON.parse((await value('--reporter', 'json')).stdout);
    expect(patch).toMatchObject({ kernel_size: [3, 3], channels: 1, channel: 0 });
    expect(patch.cells.map(({ x }: { x: number }) => x)).toEqual([0, 0, 0, 0, 48, 191, 112, 239, 255]);
    expect(patch.cells[0].pixel).toBeNull();
    expect(patch.cells[4]).toEqual({ x: 48, w: 76, pixel: [0, 3] });
  });
});
