/** A capture of a runtime, declared as another kernel: what is said of it may be little, but never false. */
import { join } from 'node:path';
import { compare } from '../../src/compare/compare.js';
import { addsZeroPointFirst, isFixedPoint, isInt32Bias } from '../../src/diagnose/alternatives/departures.js';
import { causeOf } from '../../src/diagnose/registry.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { productSteps } from '../../src/kernels/kernel.js';
import { kernelByName, rivalKernels } from '../../src/kernels/registry.js';
import type { ProductSteps } from '../../src/nouns/kernel.js';
import type { Layer } from '../../src/nouns/model.js';
import type { LayerReport } from '../../src/nouns/report.js';

export interface Said {
  equal: number;
  named: number;
  unexplained: number;
  /** What was said falsely, and of which layer. */
  readonly wrong: string[];
}

export const nothingSaid = (): Said => ({ equal: 0, named: 0, unexplained: 0, wrong: [] });

export function countsOf({ equal, named, unexplained, wrong }: Said): string {
  return `declared as each other kernel: ${equal} equal, ${named} named, ${unexplained} unexplained, ${wrong.length} wrong`;
}

/**
 * Some layers of a folder, all made by `own` from a file that is right, declared as each other kernel: only steps may be named in which
 * the two part, and `own` has to be among the kernels that explain them; null: no kernel that is known, then steps.
 * most: layers of the folder.
 */
export async function declaredAsAnother(folder: string, own: string | null, most: number, said: Said): Promise<void> {
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const step = Math.max(1, Math.floor(model.layers.length / most));
  const chosen = new Map(model.layers.filter((_, i) => i % step === 0).map((layer) => [layer.name, layer]));
  const selects = ({ name }: { readonly name: string }) => chosen.has(name);
  for (const { name: kernel } of rivalKernels(null).filter(({ name }) => name !== own)) {
    // a kernel that has none of the layers compares nothing
    const report = await compare(model, capture, { kernel, selects }).catch(() => null);
    for (const layer of report?.layers ?? []) {
      const parts = own === null ? null : partings(chosen.get(layer.name)!, kernel, own);
      judge(layer, { own, parts, where: `${folder} ${layer.name} as ${kernel}` }, said);
    }
  }
  await model.close();
  await capture.close();
}

interface Truth {
  readonly own: string | null;
  /** Causes in which the two kernels part; null: not known. */
  readonly parts: ReadonlySet<string> | null;
  readonly where: string;
}

function judge({ mismatched, diagnosis }: LayerReport, { own, parts, where }: Truth, said: Said): void {
  if (mismatched === null) return;
  if (!diagnosis) said.equal++;
  else if (diagnosis.causes.includes('unexplained')) said.unexplained++;
  else {
    said.named++;
    const sets = [diagnosis.causes, ...diagnosis.indistinguishable.map(({ causes }) => causes)];
    // said to be an integer or a float
    const isOpen = (diagnosis.evidence['fixed-point-multiplier'] as { or_float?: true } | undefined)?.or_float;
    const named = (cause: string) => (isOpen && cause === 'fixed-point-multiplier' ? 'multiplier-precision' : cause);
    const isSo = (cause: string) => causeOf(cause).whose === 'kernel' && (parts?.has(named(cause)) ?? true);
    const isKnown = own === null || diagnosis.explained_by.includes(own);
    if (!isKnown || !sets.some((causes) => causes.every(isSo)))
      said.wrong.push(`${where}: ${sets.map((causes) => causes.join('+')).join(' | ')}`);
  }
}

/** By the steps of both; of what is no product only the arithmetic of one step differs. */
function partings(layer: Layer, declared: string, own: string): ReadonlySet<string> | null {
  const [a, b] = [declared, own].map((name) => productSteps(kernelByName(name), layer));
  if (!a || !b) return null;
  const differ = (of: (steps: ProductSteps) => unknown) => of(a) !== of(b);
  const fixed = differ(({ multiplier }) => isFixedPoint(multiplier));
  const computes = differ(({ multiplier }) => multiplier) || differ(({ bias }) => bias);
  const rounds = differ(({ round }) => round) || fixed;
  const dynamic = a.dynamic !== null && differ((steps) => steps.dynamic);
  const found: [string, boolean][] = [
    ['int16-saturation', differ(({ accumulate }) => accumulate)],
    ['accumulator-wraps', differ(({ accumulate }) => accumulate)],
    ['bias-int32', differ(({ bias }) => isInt32Bias(bias))],
    ['multiplier-precision', computes || dynamic],
    ['fma', computes || dynamic],
    ['fixed-point-multiplier', fixed || (isFixedPoint(a.multiplier) && computes)],
    ['zero-point-before-rounding', differ(({ offsetAndClamp }) => addsZeroPointFirst(offsetAndClamp))],
    ['activation-range', dynamic],
    ['rounding-half-up', rounds],
    ['rounding-half-away', rounds],
    ['float-arithmetic', differ(({ float }) => float === null)],
  ];
  return new Set(found.filter(([, isSo]) => isSo).map(([cause]) => cause));
}
