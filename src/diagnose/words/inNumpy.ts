/** What an op is of real values, x, in numpy: of floats it runs as it is pasted, weight and bias beside it. */
import type {
  AffineAttributes,
  AxisAttributes,
  EluAttributes,
  GateAttributes,
  GeluAttributes,
  LayerNormAttributes,
  SiluAttributes,
  SlopeAttributes,
} from '../../nouns/attributes.js';

/** Null: none is written down. */
export function inNumpy(op: string, attributes: unknown): string | null {
  return Object.hasOwn(IN_NUMPY, op) ? IN_NUMPY[op](attributes) : null;
}

const IN_NUMPY: Readonly<Record<string, (attributes: unknown) => string>> = {
  hardswish: () => 'x * np.clip(x + 3, 0, 6) / 6',
  hardsigmoid(attributes) {
    const { slope, offset } = attributes as GateAttributes;
    return `np.clip(${Math.abs(slope - 1 / 6) < 1e-7 ? 'x / 6' : `${digits(slope)} * x`} + ${digits(offset)}, 0, 1)`;
  },
  sigmoid: () => '1 / (1 + np.exp(-x))',
  silu: (attributes) => `x / (1 + np.exp(-${times((attributes as SiluAttributes).alpha)}x))`,
  gelu: (attributes) =>
    (attributes as GeluAttributes).approximate === 'tanh'
      ? '0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))'
      : '0.5 * x * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))',
  tanh: () => 'np.tanh(x)',
  leaky_relu: (attributes) => `np.where(x > 0, x, ${digits((attributes as SlopeAttributes).negativeSlope)} * x)`,
  elu(attributes) {
    const { alpha, scale, inputScale } = attributes as EluAttributes;
    const below = `${times(alpha)}np.expm1(${times(inputScale)}x)`;
    return `${times(scale)}np.where(x > 0, x, ${below})`;
  },
  softmax(attributes) {
    const axis = (attributes as AxisAttributes).dim;
    return `np.exp(x - x.max(${axis}, keepdims=True)) / np.exp(x - x.max(${axis}, keepdims=True)).sum(${axis}, keepdims=True)`;
  },
  log_softmax: (attributes) => `x - np.log(np.exp(x).sum(${(attributes as AxisAttributes).dim}, keepdims=True))`,
  layer_norm(attributes) {
    const axes = axesOf(attributes as LayerNormAttributes);
    return `(x - x.mean(${axes}, keepdims=True)) / np.sqrt(x.var(${axes}, keepdims=True) + ${epsOf(attributes)})${affine(attributes)}`;
  },
  rms_norm(attributes) {
    const axes = axesOf(attributes as LayerNormAttributes);
    return `x / np.sqrt((x * x).mean(${axes}, keepdims=True) + ${epsOf(attributes)})${affine(attributes)}`;
  },
};

/** Those that are normalized together: the last ones. */
function axesOf({ dims }: LayerNormAttributes): string {
  return dims.length === 1 ? '-1' : `(${dims.map((_, i) => i - dims.length).join(', ')})`;
}

const epsOf = (attributes: unknown) => (attributes as AffineAttributes).eps;

function affine(attributes: unknown): string {
  const { weight, bias } = attributes as AffineAttributes;
  return `${weight ? ' * weight' : ''}${bias ? ' + bias' : ''}`;
}

/** float32's 0.2, and what a model says in full. */
const digits = (number: number) => Number(number.toPrecision(7));
const times = (factor: number) => (factor === 1 ? '' : `${digits(factor)} * `);
