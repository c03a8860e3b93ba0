/** A ResNet-18 of 16 images: qdiff, PyTorch's own int8 forward as it is and with AVX2 alone, and the same in numpy. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  bench,
  files,
  folder,
  forReadme,
  hasTorch,
  median,
  mib,
  ms,
  print,
  python,
  qdiff,
  root,
  spawned,
  times,
} from './processes.js';
import { table } from './readme.js';

const IMAGES = 16;
const ROUNDS = 3;

export function network(): void {
  if (!hasTorch) {
    console.log('\nA ResNet-18 is not measured: no PyTorch');
    return;
  }
  const at = join(folder, 'resnet');
  mkdirSync(at, { recursive: true });
  const script = (mode: string, ...more: readonly string[]) => spawned(python, [bench('resnet.py'), mode, at, ...more]);
  script('write', String(IMAGES), join(root, 'src/exporters/pytorch'));
  const seconds = (mode: string) =>
    JSON.parse(script(mode).stdout.trim().split('\n').at(-1)!) as Record<string, number>;
  const run = (...more: readonly string[]) => spawned(process.execPath, [qdiff, ...files(at), ...more]);
  const taken = {
    forward: [] as number[],
    avx2: [] as number[],
    im2col: [] as number[],
    qdiff: [] as ReturnType<typeof run>[],
    portable: [] as ReturnType<typeof run>[],
  };
  for (let round = 0; round < ROUNDS; round++) {
    taken.qdiff.push(run());
    taken.forward.push(1000 * seconds('forward').seconds);
    taken.avx2.push(1000 * seconds('forward-avx2').seconds);
    taken.portable.push(run('--accelerator', 'portable'));
    if (round === 0) taken.im2col.push(1000 * seconds('im2col').seconds);
  }
  const [forward, avx2, im2col] = [taken.forward, taken.avx2, taken.im2col].map(median);
  const rows = (['qdiff', 'portable'] as const).map((name) => {
    const wall = median(taken[name].map(({ wallMs }) => wallMs));
    const cpu = median(taken[name].map(({ cpuMs }) => cpuMs));
    const peak = Math.max(...taken[name].map(({ maxRss }) => maxRss));
    const label = name === 'qdiff' ? 'qdiff' : '--accelerator portable';
    return [
      label,
      ms(wall),
      ms(cpu),
      `${ms(forward)} ms (${times(cpu / forward)} as long)`,
      `${ms(avx2)} ms (${times(cpu / avx2)})`,
      `${ms(im2col)} ms (${times(im2col / cpu)})`,
      mib(peak),
    ];
  });
  const head = [
    `ResNet-18, ${IMAGES} images, whole process`,
    'ms',
    'of the CPU, ms',
    "PyTorch's int8 forward alone, of the CPU",
    'the same as with AVX2 alone',
    'numpy im2col, int32, of the CPU',
    'peak MiB',
  ];
  print('A network: ResNet-18, 224x224', head, rows);
  forReadme.push(table(head, rows));
}
