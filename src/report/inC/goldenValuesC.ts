/** Golden vectors of layers on whole values as C: arrays, and a function of one code of the output. */
import type { GoldenValue } from '../../analyze/goldenValues.js';
import { sizeOf } from '../../tensor/shape.js';
import { commented, integerArray, type Put, plainArray } from './goldenText.js';

export function valueArrays({ arrays, c, samples }: GoldenValue, id: string, put: Put): void {
  for (const array of arrays) integerArray(array, [samples, sizeOf(array.shape) / samples], id, put);
  for (const { name, values } of c?.arrays ?? []) plainArray('int32_t', `${id}_${name}`, values, put);
}

type InC = GoldenValue & { readonly c: object };

export function isInC(value: GoldenValue): value is InC {
  return value.c !== null;
}

export function valueFunction({ name, inputs, c, arrays, samples, equation }: InC, id: string): string {
  const [lo, hi] = c.clamp;
  const size = sizeOf(arrays.at(-1)!.shape) / samples;
  const heads = inputs.map(({ dtype }, i) => `const ${dtype}_t *x${i}`);
  const read = inputs.map((_, i) => `${id}_input${i === 0 ? '' : `_${i}`}[sample]`);
  return [
    `/* ${commented(name)}: ${commented(equation)} */`,
    `static int32_t ${id}_compute(${heads.join(', ')}, int i) {`,
    '  int64_t code = 0;',
    ...c.lines(id),
    `  return code < ${lo} ? ${lo} : code > ${hi} ? ${hi} : (int32_t)code;`,
    '}',
    '',
    `static long ${id}_check(void) {`,
    '  long differ = 0;',
    `  for (int sample = 0; sample < ${samples}; sample++)`,
    `    for (int i = 0; i < ${size}; i++)`,
    `      if (${id}_compute(${read.join(', ')}, i) != ${id}_output[sample][i]) differ++;`,
    `  printf("${id}: %ld of %ld values differ\\n", differ, (long)${samples} * ${size});`,
    '  return differ;',
    '}',
  ].join('\n');
}
