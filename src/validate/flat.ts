/** Values as C and RTL dump them: one axis that holds all samples, one behind the other. */
import type { Checks } from '../documents/checks.js';
import type { ArraySource } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';

/** Those whose numbers are as many as the captured value's have its shape. */
export function withSamples(
  sources: ReadonlyMap<string, ArraySource>,
  { values, samples }: Capture,
  checks: Checks,
): Map<string, ArraySource> {
  return new Map(
    [...sources].map(([name, source]): [string, ArraySource] => {
      const captured = values.get(name);
      const each = captured?.features ?? 0;
      const isFlat = source.shape.length === 1 && samples > 1 && each > 1 && source.shape[0] === samples * each;
      if (!captured || !isFlat) return [name, source];
      const shape = [samples, ...captured.shape.dims];
      checks.warn('flat', [name], `${source.shape[0]} numbers in one axis, read as ${shape.join(' x ')}`);
      const read = (from = 0, to = samples) => source.read(from * each, to * each);
      return [name, { ...source, shape, fortranOrder: false, read }];
    }),
  );
}
