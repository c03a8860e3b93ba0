import { kernels, productKernels } from '../../../kernels/registry.js';
import { defects } from '../../../kernels/steps/knownDefects.js';
import { defectsOfProduct, ofRelease } from '../releaseDefects.js';
import type { Rule } from '../rule.js';

/** Those that have the op; where none has, since it is wrong, all of the family. */
function kernelsOf(family: string, op: string): string[] {
  const having = productKernels(op).flatMap(({ kernel }) => (kernel.family === family ? [kernel.name] : []));
  return having.length > 0 ? having : kernels.flatMap((kernel) => (kernel.family === family ? [kernel.name] : []));
}

/** What PyTorch and TFLite's runtimes are known to compute wrongly, whatever the numbers. */
export const kernelDefect: Rule<'kernel-defect'> = {
  code: 'kernel-defect',
  ofLayer({ product, producer, layer }) {
    const { patch } = product;
    const ofReleases = defectsOfProduct(layer, product).map(ofRelease);
    // a graph of TFLite's runs nowhere else
    if (!patch || layer.delegates) return ofReleases;
    return defects
      .filter((defect) => defect.has(patch, null, producer))
      .map(({ family, what, avoid }) => ({
        severity: 'warning' as const,
        kernels: kernelsOf(family, layer.op),
        evidence: { since: 'PyTorch 2.13.0 or before' },
        facts: { what, avoid },
      }));
  },
};
