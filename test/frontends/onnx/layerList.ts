import type { Model } from '../../../src/nouns/model.js';
import { isQuantized } from '../../../src/nouns/value.js';

/** A model's layers as text, as the front end means them: which of them have an engine is not its business. */
export function layerList(model: Model): string {
  const layers = model.layers.map(({ name, op, inputs, output, nodes, arithmetic, because, notReplayed }) => {
    const params = output && isQuantized(output) ? ` ${output.scale} ${output.zeroPoint}` : '';
    const lines = [
      `${name} = ${op}(${inputs.join(', ')}): ${output ? output.dtype + params : 'not declared'}`,
      `  nodes ${nodes!.join(' + ')}`,
      ...(arithmetic ? [`  in ${arithmetic}`] : []),
      ...(because ? [`  because ${because}`] : []),
      ...(notReplayed ? [`  not replayed: ${notReplayed}`] : []),
    ];
    return lines.join('\n');
  });
  const inputs = model.inputs.map(({ name, params }) => `input ${name}: ${params.dtype}`);
  const warnings = model.warnings.map(({ message }) => `warning: ${message}`);
  return `${[...inputs, ...layers, ...warnings].join('\n')}\n`;
}
