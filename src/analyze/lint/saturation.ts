/** Whether a layer of a graph can saturate where its runtime adds products in pairs at int16, and why it never does. */
import type { LintFinding, LintLayer } from '../../documents/lint.js';
import type { Subject } from './subject.js';

/** Undefined: no graph of a runtime that has the choice of arithmetic. */
export function saturationOf(
  { layer, product, saturating }: Subject,
  findings: readonly LintFinding[],
): LintLayer['int16_saturation'] {
  if (layer.arithmetic === undefined) return undefined;
  const never = (because: string) => ({ possible: false, because });
  if (layer.arithmetic === 'float') return never('it runs in float');
  const channels = findings.filter(({ code }) => code === 'int16-saturation').length;
  if (channels > 0)
    return { possible: true, because: `${channels} of ${product.outFeatures} channels can, on x86 without VNNI` };
  const { ranAs, weightDtype } = product;
  if (weightDtype === 'uint8') return never('its weights are uint8');
  if (ranAs?.weights === 'uint8') return never('its weights ran as uint8, by session.x64quantprecision=1');
  if (saturating.length > 0) return never('its weights are so small that no two products leave int16');
  return never(ranAs?.codes === 'int8' ? 'its codes and weights are int8' : 'a kernel of its own is exact');
}
