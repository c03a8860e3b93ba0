import { productSteps } from '../kernels/kernel.js';
import { int32BiasOf } from '../kernels/steps/int32Bias.js';
import { besideValue } from '../nouns/capture.js';
import { isProduct, type Layer } from '../nouns/model.js';
import type { LayerReport } from '../nouns/report.js';
import { isQuantized } from '../nouns/value.js';
import { int32s } from '../numeric/array.js';
import { wrapInt32 } from '../numeric/integer.js';
import { blocks } from '../replay/blocks.js';
import { productOf } from '../replay/layer.js';
import type { LayerRun } from '../replay/session.js';
import { channelsIn } from '../tensor/shape.js';
import type { OwnComparison } from './comparison.js';
import { accumulatorDiff, fillAccumulator } from './layerReport.js';

/**
 * A candidate's, against the captured ones, or against the declared replay's on its own input. Those of captures are before the bias,
 * those of golden vectors and of most hardware after it: read as the one that differs less.
 */
export async function compareAccumulators(comparison: OwnComparison, layer: Layer, report: LayerReport): Promise<void> {
  const { model, candidate, capture, from, to, warn } = comparison;
  const own = besideValue(candidate.values, model, layer.name, 'accumulator');
  if (!own) return;
  const { ownSession } = (await comparison.meant()) ?? comparison;
  const captured = besideValue(capture.values, model, layer.name, 'accumulator');
  const run = ownSession.whyNotReplayed(layer) ? null : await ownSession.open(layer);
  const bias = run && biasOf(layer, run);
  const channelAt = channelsIn(own.shape);
  const [before, after] = [accumulatorDiff(own.shape), accumulatorDiff(own.shape)];
  for (const [start, end] of blocks(from, to, own.features + (run?.input.features ?? 0))) {
    const expected = captured ? await captured.read(start, end) : (await run?.replay(start, end))?.accumulator;
    if (!expected) continue;
    const actual = await own.read(start, end);
    before.add({ firstSample: start, expected, actual });
    if (!bias) continue;
    const biased = int32s(expected, (sum, i) => wrapInt32(sum + bias[channelAt(i)]));
    after.add({ firstSample: start, expected: biased, actual });
  }
  const [plain, withBias] = [before.result(), after.result()];
  const holdsBias = withBias.values > 0 && withBias.mismatched < plain.mismatched;
  if (holdsBias)
    warn(
      'accumulator-holds-bias',
      layer.name,
      'its accumulators hold the bias, as those of golden do: compared as such',
    );
  const result = holdsBias ? withBias : plain;
  fillAccumulator(report, result);
}

/** Null: none, or none in integers. */
function biasOf(layer: Layer, { kernel, ready, callOf }: LayerRun): Int32Array | null {
  const steps = productSteps(kernel, layer);
  if (!steps || !isProduct(layer) || layer.form.dynamic || !isQuantized(ready.input)) return null;
  return int32BiasOf(steps, productOf(ready, layer, ready.input, callOf(0)));
}
