import { stepsOf } from '../kernels/kernel.js';
import { kernels } from '../kernels/registry.js';
import type { Capture } from '../nouns/capture.js';
import type { Kernel } from '../nouns/kernel.js';
import type { Layer } from '../nouns/model.js';
import type { Part } from '../nouns/part.js';
import { InputError } from '../nouns/problem.js';
import type { Coverage, LayerReport, Report } from '../nouns/report.js';
import type { ReplaySession } from '../replay/session.js';
import { listed, printable } from '../text.js';

/** Values or accumulators of the layer were set beside others. */
export function isCompared({ values, accumulator }: LayerReport): boolean {
  return values !== null || accumulator !== undefined;
}

/** What of the layers that were to be compared was; of a shard, of its own. After --fail-fast the rest was not. */
export function coverageOf(parts: readonly [Part, ...Part[]], judged: readonly LayerReport[]): Coverage {
  const [{ run }] = parts;
  const layers = parts.reduce((sum, { own }) => sum + own, 0);
  const names = layers === run.selected.length ? run.selected : judged.map(({ name }) => name);
  const compared = new Set(judged.filter(isCompared).map(({ name }) => name));
  return { compared: compared.size, layers, not_compared: names.filter((name) => !compared.has(name)) };
}

/** A run of which nothing is left cannot be judged. Throws InputError that says why for the first layers. */
export function refuseNothing({ coverage, verdict, model, warnings }: Report): void {
  if (coverage.compared > 0 || verdict === 'mismatch') return;
  const reasons = warnings
    .filter(({ code }) => code === 'not-replayed' || code === 'not-captured')
    .slice(0, MOST_REASONS)
    .map(({ where, message }) => `${printable(where)}: ${printable(message)}`);
  const message = `expected a layer that can be compared, got none${reasons.map((reason) => `; ${reason}`).join('')}`;
  throw new InputError([{ kind: 'nothing-to-compare', where: printable(model), message }]);
}

const MOST_REASONS = 3;

/** Names, of a kernel that models a single step of its runtime, those of the same runtime that have the layer. */
export function kernelsWith(layer: Layer, kernel: Kernel): string {
  const { name, runtime } = kernel;
  if (stepsOf(kernel, layer)) return '';
  const runtimes = runtime === 'cmsis-nn' ? ['tflite', runtime] : [runtime];
  const others = kernels.filter(
    (other) => other.name !== name && runtimes.includes(other.runtime) && stepsOf(other, layer),
  );
  return others.length === 0
    ? ''
    : `; ${listed(others.map((other) => other.name))} ${others.length === 1 ? 'has' : 'have'} one`;
}

/** What else there is for a layer that is not replayed: what is captured of it is compared with nothing, unless another capture is there. */
export function insteadOf(
  layer: Layer,
  session: Pick<ReplaySession, 'kernelOf'>,
  { values }: Capture,
  { candidate, against }: { readonly candidate?: Capture | null; readonly against?: 'capture' | 'replay' },
): string {
  const others = kernelsWith(layer, session.kernelOf(layer));
  if (candidate && against === 'replay' && values.has(layer.name))
    return `${others}; its captured values stand in for the replay's`;
  return candidate || !values.has(layer.name)
    ? others
    : `${others}; another capture of it is compared with --candidate`;
}
