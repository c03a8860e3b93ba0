/** A capture of a runtime, declared as another kernel: what is said of it may be little, but never false. */
import { join } from 'node:path';
import { compare } from '../../src/compare/compare.js';
import { causeOf } from '../../src/diagnose/registry.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { rivalKernels } from '../../src/kernels/registry.js';
import type { LayerReport } from '../../src/nouns/report.js';

export interface Said {
  equal: number;
  named: number;
  unexplained: number;
  /** What was said falsely, and of which layer. */
  readonly wrong: string[];
}

/**
 * Some layers of a folder, all made by `own` from a file that is right, declared as each other kernel: only steps may be named, and
 * `own` has to be among the kernels that explain them; null: no kernel that is known. most: layers of the folder.
 */
export async function declaredAsAnother(folder: string, own: string | null, most: number, said: Said): Promise<void> {
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const step = Math.max(1, Math.floor(model.layers.length / most));
  const chosen = new Set(model.layers.filter((_, i) => i % step === 0).map(({ name }) => name));
  const selects = ({ name }: { readonly name: string }) => chosen.has(name);
  for (const { name } of rivalKernels(null).filter((kernel) => kernel.name !== own)) {
    // a kernel that has none of the layers compares nothing
    const report = await compare(model, capture, { kernel: name, selects }).catch(() => null);
    for (const layer of report?.layers ?? []) judge(layer, own, `${folder} ${layer.name} as ${name}`, said);
  }
  await model.close();
  await capture.close();
}

function judge({ mismatched, diagnosis }: LayerReport, own: string | null, where: string, said: Said): void {
  if (mismatched === null) return;
  if (!diagnosis) said.equal++;
  else if (diagnosis.causes.includes('unexplained')) said.unexplained++;
  else {
    said.named++;
    const numbers = diagnosis.causes.filter((cause) => causeOf(cause).whose !== 'kernel');
    if (numbers.length > 0 || (own !== null && !diagnosis.explained_by.includes(own)))
      said.wrong.push(`${where}: ${diagnosis.causes}`);
  }
}
