/** What of a session decides the arithmetic: its CPU, how far it optimizes, and the entries that change kernels. */
import type { Producer } from '../../nouns/model.js';

export interface Session {
  /** Why DequantizeLinear, operator, QuantizeLinear stay as they are, in float; null: they are fused. */
  readonly unfused: string | null;
  /** Float biases and weights of Conv and Gemm become codes where codes stand around them. */
  readonly quantizesConstants: boolean;
  /** Pairs of QuantizeLinear and DequantizeLinear are carried over what only moves values. */
  readonly carriesConversions: boolean;
  /** What is the same in fewer nodes is rewritten. */
  readonly rewrites: boolean;
  /** A float Conv or Gemm takes the Relu behind it in. */
  readonly fusesActivations: boolean;
  /** Of two pairs of QuantizeLinear and DequantizeLinear in a row none is taken away. */
  readonly keepsDoublePairs: boolean;
  /** int8 activations stay int8, and their operators are fused all the same; otherwise they are rewritten to uint8 where possible. */
  readonly keepsInt8: boolean;
  /** int8 weights become uint8, whose products do not saturate. */
  readonly exactWeights: boolean;
  /** MatMulNBits quantizes its activations again. */
  readonly quantizesAgain: boolean;
  /** The size of blocks that it makes of weights with one scale, or one a channel; null: not known. */
  readonly blockOfChannels: number | null;
  /** Why products of such blocks are not replayed; null: they are. */
  readonly notInBlocks: string | null;
  /** Shapes of the tensors that a capture has; none where none is read. */
  readonly captured: ReadonlyMap<string, readonly number[]>;
  /** Tensors that were added to the model's outputs: each has one reader more. */
  readonly added: ReadonlySet<string>;
  /** Floats inside groups that would be fused, which an ordinary run computed: it did not fuse those. */
  readonly unfusedAt: ReadonlySet<string>;
}

/** As onnxruntime's Python names levels, or its numbers. */
const LEVELS: ReadonlyMap<string, string> = new Map([
  ['0', 'none'],
  ['1', 'basic'],
  ['2', 'extended'],
  ['disable_all', 'none'],
  ['disable', 'none'],
  ['disabled', 'none'],
]);

/** What a session was told that takes away nodes of the file, which are replayed all the same; null: nothing. */
export function notModelled({ settings = new Map() }: Producer): string | null {
  const name = 'session.enable_quant_qdq_cleanup';
  return settings.get(name) === '1'
    ? `${name} is 1: ONNX Runtime took away pairs of QuantizeLinear and DequantizeLinear, which are replayed as the file has them; layers behind them differ; capture without it`
    : null;
}

/** Where nothing is said: x86-64, default options. */
export function sessionOf(
  { arch = '', cpuCapability = '', settings = new Map() }: Producer,
  captured: ReadonlyMap<string, readonly number[]>,
): Session {
  const setting = (name: string) => settings.get(`session.${name}`) ?? settings.get(name) ?? '';
  const level = levelOf(settings);
  const isArm = /^(arm|aarch)/i.test(arch) || /neon/i.test(cpuCapability);
  const isUnoptimized = level === 'none' || level === 'basic';
  const disabled = setting('disable_quant_qdq') === '1' ? 'session.disable_quant_qdq is 1' : null;
  const unoptimized = isUnoptimized
    ? `the session optimizes graphs at level ${level}, and only extended fuses them`
    : null;
  return {
    unfused: disabled ?? unoptimized,
    quantizesConstants: disabled === null && level !== 'none',
    carriesConversions: disabled === null && level !== 'none',
    rewrites: level !== 'none',
    fusesActivations: !isUnoptimized,
    keepsDoublePairs: level === 'none' || setting('disable_double_qdq_remover') === '1',
    keepsInt8: isArm || setting('qdqisint8allowed') === '1',
    exactWeights: !isUnoptimized && setting('x64quantprecision') === '1',
    quantizesAgain: !isUnoptimized && ['', '4'].includes(setting('qdq_matmulnbits_accuracy_level')),
    blockOfChannels: blockOf(setting('qdq_matmulnbits_block_size')),
    notInBlocks: isArm ? 'ONNX Runtime quantizes blocks of activations otherwise on ARM' : oldCpu(cpuCapability),
    captured,
    added: new Set(),
    unfusedAt: new Set(),
  };
}

/** Whether two sessions make the same layers of a file, as far as both say what they were told. */
export function sameSession(first: Producer, second: Producer): boolean {
  if (!first.settings || !second.settings) return true;
  const [one, other] = [first, second].map(({ settings }) => JSON.stringify(sessionOf({ settings }, new Map())));
  return one === other;
}

/** 0 is ONNX Runtime's own; of -1 it chooses by the shape. */
function blockOf(setting: string): number | null {
  const size = Number(setting);
  return size === 0 ? 32 : size > 0 ? size : null;
}

/** Without AVX2 nothing multiplies integers in blocks. */
function oldCpu(capability: string): string | null {
  return /^(sse|avx$)/i.test(capability) ? `a CPU of ${capability} alone has no kernel for blocks` : null;
}

function levelOf(settings: ReadonlyMap<string, string>): string {
  const given = settings.get('graph_optimization_level') ?? settings.get('optimization_level') ?? 'all';
  const name = given.toLowerCase().replace(/^.*ort_(enable_)?/, '');
  return LEVELS.get(name) ?? name;
}
