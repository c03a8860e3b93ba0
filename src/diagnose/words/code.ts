/**
 * Fixes as lines to paste. Names in them: x, w, acc, v (before rounding), q (a code); x_scale, x_zero_point, w_scale, bias,
 * y_scale, y_zero_point as arrays or numbers of numpy; in C and Verilog the same in capitals where they are constants.
 */
import { precise, printable } from '../../text.js';
import type { Formula, FoundParameter, Permutation } from '../finding/evidence.js';
import type { FixContext, Snippet } from './causeWords.js';

export const numpy = (text: string): Snippet => ({ where: 'numpy', language: 'python', text });
export const inC = (text: string): Snippet => ({ where: 'C', language: 'c', text });
export const rtl = (text: string): Snippet => ({ where: 'RTL', language: 'verilog', text });
export const torch = (text: string): Snippet => ({ where: 'PyTorch', language: 'python', text });
export const shell = (text: string): Snippet => ({ where: 'shell', language: 'shell', text });

/** Members of a layer's object in model.json, or of one in it. */
export function modelLine({ layer }: Pick<FixContext, 'layer'>, members: object, of?: 'output'): Snippet {
  const text = JSON.stringify(members).slice(1, -1).replaceAll('":', '": ').replaceAll(',', ', ');
  return { where: `model.json, layer ${printable(layer)}${of ? `, ${of}` : ''}`, language: 'json', text };
}

export function producerLine(kernel: string): Snippet {
  return { where: 'model.json, producer', language: 'json', text: `"kernel": ${JSON.stringify(kernel)}` };
}

type Code = (context: FixContext) => readonly Snippet[];

/** A candidate's lines; the file's, where it is the one to mend. */
export function codeOf(candidate: readonly Snippet[], file: Code = () => []): Code {
  return (context) => (context.subject === 'candidate' ? candidate : file(context));
}

/** Zero points off, all in int32. */
export const INT32_SUMS: readonly Snippet[] = [
  numpy('acc = (x.astype(np.int32) - x_zero_point) @ w.astype(np.int32).T  # of a convolution x: a patch a row'),
  inC('acc += ((int32_t)x[k] - X_ZERO_POINT) * (int32_t)w[k];  /* int32_t acc */'),
  rtl(
    "acc <= acc + ($signed({1'b0, x}) - X_ZERO_POINT) * w;  // reg signed [31:0] acc; uint8 x; signed w, X_ZERO_POINT",
  ),
];

/** Raw products in pairs, each clamped to int16. */
export const INT16_PAIRS: readonly Snippet[] = [
  numpy(
    'acc = sum(np.clip(x[:, k:k+2].astype(np.int32) @ w[:, k:k+2].astype(np.int32).T, -32768, 32767) for k in range(0, x.shape[1], 2))',
  ),
  inC('int32_t p = x[k] * w[k] + x[k + 1] * w[k + 1]; acc += p > 32767 ? 32767 : p < -32768 ? -32768 : p;'),
];

export function clampTo(lo: number | string, hi: number | string): Snippet[] {
  return [
    numpy(`q = np.clip(q, ${lo}, ${hi})`),
    inC(`q = q < ${lo} ? ${lo} : q > ${hi} ? ${hi} : q;`),
    rtl(`q = (v < ${lo}) ? ${lo} : (v > ${hi}) ? ${hi} : v;  // v wider than q, both signed`),
  ];
}

/** What C says and RTL does for v >> S, as each rule is written. The floats' rules hold for every double. */
const RULES: Readonly<Record<string, readonly Snippet[]>> = {
  halfEven: [
    numpy('q = np.rint(v)'),
    inC('q = rint(v);'),
    rtl('q = (v + (v[S] ? HALF : HALF - 1)) >>> S;  // HALF = 1 << (S-1); all signed'),
  ],
  halfAway: [
    numpy('q = np.trunc(v) + np.sign(v) * (np.abs(v - np.trunc(v)) >= 0.5)'),
    inC('q = round(v);'),
    rtl('q = (v + (v < 0 ? HALF - 1 : HALF)) >>> S;  // HALF = 1 << (S-1); all signed'),
  ],
  halfUp: [
    numpy('q = np.floor(v) + (v - np.floor(v) >= 0.5)'),
    inC('q = floor(v) + (v - floor(v) >= 0.5);'),
    rtl('q = (v + HALF) >>> S;  // HALF = 1 << (S-1); all signed'),
  ],
  towardZero: [numpy('q = np.trunc(v)'), inC('q = trunc(v);'), rtl('q = (v + (v < 0 ? (1 << S) - 1 : 0)) >>> S;')],
  halfThenTowardZero: [
    numpy('q = np.trunc(v + 0.5)'),
    inC('q = trunc(v + 0.5);'),
    rtl('q = (v + HALF + (v + HALF < 0 ? (1 << S) - 1 : 0)) >>> S;  // HALF = 1 << (S-1); all signed'),
  ],
  halfThenDownward: [
    numpy('q = np.floor(v + np.where(v < 0, -0.5, 0.5))'),
    inC('q = floor(v + (v < 0 ? -0.5 : 0.5));'),
    rtl('q = (v + (v < 0 ? -HALF : HALF)) >>> S;  // HALF = 1 << (S-1); all signed'),
  ],
  downward: [numpy('q = np.floor(v)'), inC('q = floor(v);'), rtl('q = v >>> S;')],
  upward: [numpy('q = np.ceil(v)'), inC('q = ceil(v);'), rtl('q = (v + (1 << S) - 1) >>> S;')],
};

export function ruleCode(rule: string): readonly Snippet[] {
  return RULES[rule] ?? [];
}

/** A ReLU on codes. */
export function clampBelow(zeroPoint: number | string = 'Y_ZERO_POINT'): Snippet[] {
  return [
    numpy(`q = np.maximum(q, ${String(zeroPoint).toLowerCase()})`),
    inC(`q = q < ${zeroPoint} ? ${zeroPoint} : q;`),
    rtl(`q = (q < ${zeroPoint}) ? ${zeroPoint} : q;  // both signed, or both unsigned`),
  ];
}

export function padWith(code: number | string): Snippet[] {
  return [
    numpy(`x = np.pad(x, padding, constant_values=${code})`),
    inC(`int32_t tap = in_image ? x[i] : ${String(code).toUpperCase()};`),
    rtl(`assign tap = in_image ? x : ${String(code).toUpperCase()};`),
  ];
}

/** The inputs of a transposed convolution, a stride apart. */
export function spreadOver(code: number | string): Snippet[] {
  return [
    numpy(`up = np.full(spread_shape, ${code}); up[..., ::stride, ::stride] = x`),
    inC(`int32_t tap = is_input ? x[i] : ${String(code).toUpperCase()};`),
    rtl(`assign tap = is_input ? x : ${String(code).toUpperCase()};`),
  ];
}

/** An array whose row n is what belongs to row permutation[n], or to n + shift: into its order. */
export function inOrder(array: string, { permutation, shift }: Permutation): Snippet[] {
  if (shift !== undefined) return [numpy(`${array} = np.roll(${array}, ${array === 'y' ? shift : -shift}, axis=0)`)];
  if (!permutation || permutation.length > 32) return [];
  const order = `[${permutation.join(', ')}]`;
  return [numpy(`${array} = ${array}[${array === 'y' ? `np.argsort(${order})` : order}]`)];
}

/** A number that is wrong in the file, or in the candidate. */
export function scaleLine(
  of: string,
  part: 'scale' | 'zero_point' | number | null,
  mine: string,
  { found, declared, same_as: sameAs, channel }: Partial<FoundParameter>,
  context: FixContext,
  operand = 0,
): Snippet[] {
  if (context.subject === 'candidate') {
    const at = channel === undefined ? '' : `[${channel}]`;
    if (declared === undefined) return [];
    const [own, value] = [`${mine}${at}`, precise(declared)];
    if (at) return [numpy(`${own} = ${value}`)];
    const constant = mine.toUpperCase();
    return [
      numpy(`${own} = ${value}`),
      inC(`#define ${constant} ${value}`),
      ...(part === 'zero_point' ? [rtl(`localparam signed [8:0] ${constant} = ${value};`)] : []),
    ];
  }
  if (found === undefined) return [];
  const value = Number(precise(found));
  if (typeof part === 'number') {
    const where = `model.json, layer ${printable(context.layer)}, weight_scale[${part}]`;
    return [{ where, language: 'json', text: String(value) }];
  }
  if (part === null) return [modelLine(context, { weight_scale: value })];
  const own = sameAs === undefined ? of : `output of ${printable(sameAs)}`;
  const read = own === 'output' || sameAs !== undefined ? undefined : context.reads?.[operand];
  const where = `model.json, ${read === undefined ? `layer ${printable(context.layer)}, ${own}` : printable(read)}`;
  return [{ where, language: 'json', text: `"${part}": ${value}` }];
}

const EXPORTERS = new Map([
  ['PyTorch', 'pytorch'],
  ['ONNX Runtime', 'onnx'],
  ...['LiteRT', 'TFLite', 'TensorFlow', 'TFLite Micro'].map((name) => [name, 'tflite'] as const),
]);

/** The file and the capture of one run. */
export function exportAgain({ framework }: FixContext): Snippet[] {
  const exporter = EXPORTERS.get(framework ?? 'PyTorch');
  return exporter ? [shell(`qdiff exporter ${exporter} > qdiff_export_${exporter}.py`)] : [];
}

/** Every step in which the two differ, in the other's numbers; as `stepFixes` says it in words. */
export function stepCode(found: Formula, met: Formula, own: ReadonlySet<string> = new Set()): Snippet[] {
  const code: Snippet[] = [];
  const multiplies = found.multiplier.step !== met.multiplier.step;
  if (found.bias && met.bias && found.bias.step !== met.bias.step && !own.has('bias')) code.push(...biasCode(met));
  if (multiplies) code.push(...multiplierCode(met));
  const rounds = met.rounding !== null && found.rounding?.step !== met.rounding.step;
  if (rounds && !(multiplies && met.multiplier.int32 !== undefined)) code.push(...(RULES[met.rounding!.step] ?? []));
  if (found.zero_point && met.zero_point && found.zero_point !== met.zero_point)
    code.push(...offsetCode(met.zero_point));
  return code;
}

export function offsetCode(order: 'before' | 'after'): Snippet[] {
  const after = order === 'after';
  return [
    numpy(after ? 'q = np.rint(v) + y_zero_point' : 'q = np.rint(v + y_zero_point)'),
    inC(after ? 'q = (int32_t)rint(v) + Y_ZERO_POINT;' : 'q = (int32_t)rint(v + Y_ZERO_POINT);'),
  ];
}

/** Of the declared kernel: a dynamic layer's is added to reals. */
export function addedBias({ dynamic, evidence }: FixContext): Snippet[] {
  return dynamic
    ? [numpy('y = acc * (x_scale * w_scale) + bias'), inC('y = acc * (x_scale * w_scale[n]) + bias[n];')]
    : biasCode(evidence.basis?.formula?.declared ?? { bias: null });
}

export function biasCode({ bias }: Pick<Formula, 'bias'>): Snippet[] {
  return bias?.rounded === false
    ? [numpy('v = acc + bias / (x_scale * w_scale)')]
    : [
        numpy('acc += np.rint(bias / (x_scale * w_scale)).astype(np.int32)'),
        inC('acc += BIAS_INT32[n];  /* rint(bias[n] / (x_scale * w_scale[n])) */'),
        rtl('acc <= acc + BIAS_INT32[n];  // rint(bias[n] / (x_scale * w_scale[n]))'),
      ];
}

function multiplierCode({ multiplier, channel }: Formula): Snippet[] {
  const { int32, shift = 0, rounding = '', equation, by_channel: byChannel, in_all: inAll } = multiplier;
  if (int32 === undefined) {
    const python = inNumpy(equation);
    return python === null ? [] : [numpy(`f32 = np.float32; v = ${python}`)];
  }
  if (byChannel) return multipliersCode(rounding, `channel ${channel}: ${int32}, shift ${shift}`);
  const left = Math.max(shift, 0);
  const product = left > 0 ? `(acc << ${left})` : 'acc';
  const of = inAll ? 'every channel' : `channel ${channel}`;
  if (rounding === 'single') {
    const s = 31 - shift;
    return [
      numpy(`q = (acc.astype(np.int64) * ${int32} + (1 << ${s - 1})) >> ${s}  # ${of}`),
      inC(`q = (int32_t)(((int64_t)acc * ${int32} + (INT64_C(1) << ${s - 1})) >> ${s});  /* ${of} */`),
      rtl(`q = (acc * 64'sd${int32} + (64'sd1 << ${s - 1})) >>> ${s};  // signed acc, q [63:0]; ${of}`),
    ];
  }
  const high = [
    numpy(`q = (${product.replace('acc', 'acc.astype(np.int64)')} * ${int32} + (1 << 30)) >> 31  # ${of}`),
    inC(
      `q = (${product.replace('acc', '(int64_t)acc')} * ${int32} + (INT64_C(1) << 30)) >> 31;  /* int64_t q; ${of} */`,
    ),
    rtl(`q = (${product} * 64'sd${int32} + (64'sd1 << 30)) >>> 31;  // signed acc, q [63:0]; ${of}`),
  ];
  return rounding === 'double' || rounding === 'double-up' ? [...high, ...secondRounding(rounding, -shift)] : [];
}

/** Each channel's own numbers, by the names that qdiff table has; of two roundings shifts are to the right, by 0 as well. */
function multipliersCode(rounding: string, of: string): Snippet[] {
  const product = { numpy: 'acc.astype(np.int64) * multiplier_int32', c: '(int64_t)acc * MULTIPLIER[n]' };
  const comment = `qdiff table has them; ${of}`;
  if (rounding === 'single')
    return [
      numpy(`s = 31 - shift.astype(np.int64); q = (${product.numpy} + (1 << (s - 1))) >> s  # ${comment}`),
      inC(`q = (${product.c} + (INT64_C(1) << (30 - SHIFT[n]))) >> (31 - SHIFT[n]);  /* int64_t q; ${comment} */`),
      rtl(
        `q = (acc * MULTIPLIER[n] + (64'sd1 << (30 - SHIFT[n]))) >>> (31 - SHIFT[n]);  // all signed, q [63:0]; ${comment}`,
      ),
    ];
  if (rounding !== 'double' && rounding !== 'double-up') return [];
  const half = { c: '((INT64_C(1) << s) >> 1)', rtl: "((64'sd1 << -SHIFT[n]) >>> 1)" };
  const isAway = rounding === 'double';
  return [
    numpy(`q = (${product.numpy} + (1 << 30)) >> 31  # ${comment}`),
    numpy(
      `s = -shift.astype(np.int64); q = ${isAway ? 'np.sign(q) * ((np.abs(q) + ((1 << s) >> 1)) >> s)' : '(q + ((1 << s) >> 1)) >> s'}`,
    ),
    inC(`q = (${product.c} + (INT64_C(1) << 30)) >> 31;  /* int64_t q; ${comment} */`),
    inC(
      `s = -SHIFT[n]; q = ${isAway ? `q < 0 ? -((-q + ${half.c}) >> s) : (q + ${half.c}) >> s` : `(q + ${half.c}) >> s`};  /* int s */`,
    ),
    rtl(`q = (acc * MULTIPLIER[n] + (64'sd1 << 30)) >>> 31;  // all signed, q [63:0]; ${comment}`),
    rtl(
      isAway
        ? `y = (q + ${half.rtl} - ((q < 0 && SHIFT[n] < 0) ? 64'sd1 : 64'sd0)) >>> -SHIFT[n];  // halves away from zero`
        : `y = (q + ${half.rtl}) >>> -SHIFT[n];`,
    ),
  ];
}

const NUMPY_NAMES = new Map([
  ['acc', 'acc'],
  ['f32', 'f32'],
  ['sx', 'x_scale'],
  ['sw', 'w_scale'],
  ['sy', 'y_scale'],
]);

/** An equation as numpy computes it; null: it has more than numbers, products and float32 in it. */
function inNumpy(equation: string): string | null {
  const names = equation.match(/[A-Za-z_]\w*/g) ?? [];
  if (!/^[\w\s.()*/+-]+$/.test(equation) || names.some((name) => !NUMPY_NAMES.has(name))) return null;
  return equation.replaceAll(/[A-Za-z_]\w*/g, (name) => NUMPY_NAMES.get(name)!);
}

function secondRounding(rounding: 'double' | 'double-up', s: number): Snippet[] {
  if (s <= 0) return [];
  const half = 2 ** (s - 1);
  return rounding === 'double'
    ? [
        numpy(`q = np.sign(q) * ((np.abs(q) + ${half}) >> ${s})`),
        inC(`q = q < 0 ? -((-q + ${half}) >> ${s}) : (q + ${half}) >> ${s};`),
        rtl(`y = (q + (q < 0 ? ${half - 1} : ${half})) >>> ${s};  // halves away from zero; all signed`),
      ]
    : [numpy(`q = (q + ${half}) >> ${s}`), inC(`q = (q + ${half}) >> ${s};`), rtl(`y = (q + ${half}) >>> ${s};`)];
}
