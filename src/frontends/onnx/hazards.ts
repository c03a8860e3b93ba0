/** What ONNX Runtime does with a group of nodes that the graph does not say; lint tells it before anything runs. */
import type { Hazard } from '../../nouns/model.js';
import { f32 } from '../../numeric/float.js';
import type { Bias } from './product.js';
import { ofChannel, type Quantization } from './quantization.js';

export const QUANTIZES_AGAIN: Hazard = {
  code: 'activations-quantized-again',
  message:
    'ONNX Runtime runs it as MatMulNBits, which quantizes its activations again, to int8 in blocks: the graph asks for more bits than it computes with',
  fix: 'set session.qdq_matmulnbits_accuracy_level=0, which multiplies floats',
  evidence: { setting: 'session.qdq_matmulnbits_accuracy_level' },
};

/** A scale and its product in float32 may differ by so much. */
const ROUNDING = 2 ** -20;

/** Fused kernels count the codes of a bias at s_x * s_w, whatever scale the file gives them. */
export function ignoredBiasScale(x: Quantization, w: Quantization, bias: Bias | null): Hazard[] {
  const scales = bias?.q?.scale ?? [];
  const count = Math.max(scales.length, w.scale.length);
  for (let channel = 0; scales.length > 0 && channel < count; channel++) {
    const [declared, used] = [ofChannel(scales, channel), f32(x.scale[0] * ofChannel(w.scale, channel))];
    if (Math.abs(declared - used) <= ROUNDING * used) continue;
    const message = `the bias scale of channel ${channel} is ${declared}, and the fused kernel counts its codes at input times weight, ${used}`;
    const fix = 'give the bias the scale of input times weight: quantize it again, or leave it float';
    return [{ code: 'bias-scale-ignored', message, fix, evidence: { channel, declared, used } }];
  }
  return [];
}

/** QGemm has no place for a zero point of its bias. */
export function ignoredBiasZeroPoint(bias: Bias | null): Hazard[] {
  const zeroPoint = bias?.q?.zeroPoint.find((zero) => zero !== 0);
  if (zeroPoint === undefined) return [];
  const message = `the zero point of the bias is ${zeroPoint}, and the fused kernel adds its codes as if it were 0`;
  return [{ code: 'bias-zero-point-ignored', message, fix: 'give the bias zero point 0', evidence: { zeroPoint } }];
}
