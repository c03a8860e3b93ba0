/** The ways out of saturating pairs, in the words of each framework. */

import { kernelNamed } from '../../kernels/named.js';
import type { Producer } from '../../nouns/model.js';
import type { Formula } from '../finding/evidence.js';
import type { FixContext, Snippet } from './causeWords.js';
import { shell, torch } from './code.js';

const REDUCE_RANGE_LIMIT = 'activations beyond the calibrated range still exceed 127 under reduce_range';

/** How a way out of saturation is rehearsed: activations of 7 bits, weights of 7 bits, or sums without pairs. */
export type Remedy = 'seven-bit-activations' | 'seven-bit-weights' | 'exact-sums';

interface Way {
  readonly remedy: Remedy;
  readonly text: string;
  readonly code: readonly Snippet[];
}

const SMALL_WEIGHTS = 'keep the weights in -64..63: two products of a code up to 255 then fit int16';

/** What the capture's framework has against saturating pairs; the signed codes of an input come to 0..255 in the kernel, whatever their range. */
export function saturationWays(context: FixContext): Way[] {
  const { signed, foundKernel, declaredKernel } = context;
  const kernel = foundKernel ?? declaredKernel;
  const vnni = kernelNamed(kernel)?.library?.exactOn ?? 'VNNI';
  const ofWeights = signed || narrowsWeights(context);
  const narrower = ofWeights ? sevenBitWeights(context) : sevenBitActivations(context, kernel);
  const exact: Way = { remedy: 'exact-sums', text: exactSums(context, vnni), code: exactCode(context) };
  return heldBy(context) ? [exact, narrower] : [narrower, exact];
}

/** "FBGEMM_ENABLE_INSTRUCTIONS=AVX2": what keeps a CPU that has VNNI from it, as one of these kernels; null: nothing that the capture tells. */
export function heldBack(producer: Producer, kernels: readonly string[]): string | null {
  if (producer.flow === 'torchao') return null;
  const variables = kernels.map((kernel) => {
    const { confirm = null, library } = kernelNamed(kernel) ?? {};
    return isSet(producer, confirm) && hasExactSums(producer, library?.exactOn) ? confirm : null;
  });
  return variables.find((variable) => variable !== null) ?? null;
}

function isSet({ environment }: Producer, variable: string | null): boolean {
  const [name, value] = variable?.split('=') ?? [];
  return name !== undefined && environment?.get(name)?.toUpperCase() === value;
}

/** exactOn: where any VNNI is not enough. */
function hasExactSums({ avx512Vnni, avxVnni }: Producer, exactOn: string | undefined): boolean {
  return avx512Vnni === true || (exactOn === undefined && avxVnni === true);
}

const heldBy = ({ evidence }: FixContext) => evidence['int16-saturation']?.held_by;

/** Frameworks whose reduce_range is one of the weights. */
function narrowsWeights({ framework, producer }: FixContext): boolean {
  return framework === 'OpenVINO' || framework === 'ONNX Runtime' || producer.flow === 'torchao';
}

function sevenBitWeights({ framework, dynamic, producer }: FixContext): Way {
  const remedy = 'seven-bit-weights';
  if (producer.flow === 'torchao') {
    const config = `Int8${dynamic ? 'Dynamic' : 'Static'}ActivationInt8WeightConfig(..., reduce_range=True)`;
    const text = `quantize_(model, ${config}), which keeps activations and weights in -64..63`;
    return { remedy, text, code: [python('torchao', dynamic ? TORCHAO_DYNAMIC : TORCHAO_STATIC)] };
  }
  if (framework === 'OpenVINO') {
    const option = 'advanced_parameters=AdvancedQuantizationParameters(overflow_fix=OverflowFix.ENABLE)';
    return { remedy, text: `${SMALL_WEIGHTS}: nncf.quantize(..., ${option})`, code: [python('nncf', NNCF)] };
  }
  if (framework === 'ONNX Runtime') {
    const call = `quantize_${dynamic ? 'dynamic' : 'static'}(..., reduce_range=True)`;
    return {
      remedy,
      text: `${call}, which keeps the weights in -64..64: two products of a code up to 255 then fit int16`,
      code: [python('onnxruntime.quantization', dynamic ? ORT_DYNAMIC : ORT_STATIC)],
    };
  }
  const observer = framework === 'PyTorch' ? ' (quant_min=-64, quant_max=63 of the weight observer)' : '';
  const line =
    producer.flow === 'fx'
      ? `qconfig_mapping = torch.ao.quantization.QConfigMapping().set_global(${SMALL_WEIGHTS_OF})`
      : `model.qconfig = ${SMALL_WEIGHTS_OF}`;
  return { remedy, text: SMALL_WEIGHTS + observer, code: framework === 'PyTorch' ? [torch(line)] : [] };
}

function sevenBitActivations({ producer, dynamic, framework, op }: FixContext, kernel: string): Way {
  const remedy = 'seven-bit-activations';
  if (framework && framework !== 'PyTorch') {
    const text = 'keep the activation codes in 0..127: twice the scale, half the zero point';
    return { remedy, text, code: [] };
  }
  if (producer.flow === 'pt2e-lowered' || kernelNamed(kernel)?.flow === 'pt2e-lowered') {
    const call = 'get_default_x86_inductor_quantization_config(reduce_range=True)';
    return { remedy, text: `${call}; ${REDUCE_RANGE_LIMIT}`, code: [torch(PT2E)] };
  }
  if (producer.flow === 'dynamic' || dynamic) {
    return {
      remedy,
      text: 'quantize the activations with reduce_range=True',
      code: [torch(dynamicCall(dynamic ? op : 'linear_dynamic'))],
    };
  }
  const defaults = kernelNamed(kernel)?.library?.defaultRange ?? '0..127';
  const text = `give the activation observers reduce_range=True (${defaults}); ${REDUCE_RANGE_LIMIT}`;
  return { remedy, text, code: framework === 'PyTorch' ? [torch(producer.flow === 'fx' ? QCONFIG_FX : QCONFIG)] : [] };
}

/** Lines of each framework's own; names as its documentation has them. */
const python = (where: string, text: string): Snippet => ({ where, language: 'python', text });
const QCONFIG =
  'model.qconfig = torch.ao.quantization.get_default_qconfig("x86")  # QAT: get_default_qat_qconfig("x86")';
/** prepare_fx reads no model.qconfig. */
const QCONFIG_FX =
  'qconfig_mapping = torch.ao.quantization.get_default_qconfig_mapping("x86")  # QAT: get_default_qat_qconfig_mapping("x86")';
const SMALL_WEIGHTS_OF =
  'torch.ao.quantization.QConfig(activation=torch.ao.quantization.default_histogram_observer, weight=torch.ao.quantization.default_per_channel_weight_observer.with_args(quant_min=-64, quant_max=63))';
const PT2E =
  'quantizer = X86InductorQuantizer().set_global(get_default_x86_inductor_quantization_config(reduce_range=True))';
const dynamicCall = (op: string) => `y = torch.ops.quantized.${op}(x, packed_params, reduce_range=True)`;
const TORCHAO_DYNAMIC = 'quantize_(model, Int8DynamicActivationInt8WeightConfig(reduce_range=True))';
const TORCHAO_STATIC =
  'quantize_(model, Int8StaticActivationInt8WeightConfig(act_quant_scale=scale, reduce_range=True))';
const ORT_STATIC = 'quantize_static(model_input, model_output, calibration_data_reader, reduce_range=True)';
const ORT_DYNAMIC = 'quantize_dynamic(model_input, model_output, reduce_range=True)';
const NNCF =
  'nncf.quantize(model, calibration_dataset, advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE))';

/** Eager codes are uint8: int8 ones are no engine's, but of torch._int_mm or a script. */
function hasEngine({ framework, producer, dynamic, signed }: FixContext): boolean {
  return (framework ?? 'PyTorch') === 'PyTorch' && !dynamic && !signed && !producer.flow?.startsWith('pt2e');
}

function exactCode(context: FixContext): Snippet[] {
  const { framework, producer, evidence } = context;
  const held = heldBy(context);
  if (held) return [shell(`unset ${held.split('=')[0]}`)];
  if (framework === 'ONNX Runtime') {
    return [python('onnxruntime', 'session_options.add_session_config_entry("session.x64quantprecision", "1")')];
  }
  if (producer.flow === 'torchao') return [shell('unset ONEDNN_MAX_CPU_ISA')];
  if (framework === 'PyTorch' && (hasEngine(context) || evidence['int16-saturation']?.every_cpu)) {
    return [torch('torch.backends.quantized.engine = "qnnpack"  # before convert()')];
  }
  return framework === 'PyTorch'
    ? [shell('grep -o -m1 avx512_vnni /proc/cpuinfo  # prints it on a CPU that has it')]
    : [];
}

function exactSums(context: FixContext, vnni: string): string {
  const { framework, producer, evidence } = context;
  const held = heldBy(context);
  if (held) return `leave ${held.split('=')[0]} unset: the CPU of this capture has ${vnni}, and its sums are exact`;
  if (evidence['int16-saturation']?.every_cpu) {
    return "no CPU avoids it: use the qnnpack engine, or oneDNN's convolutions (engine onednn; engine x86 on a CPU with AVX512-VNNI): their sums are exact";
  }
  if (framework === 'ONNX Runtime') {
    return 'uint8 weights (U8U8), S8S8 with session.qdqisint8allowed=1, session.x64quantprecision=1, or a CPU with VNNI: their sums are exact';
  }
  if (producer.flow === 'torchao') {
    return 'leave ONEDNN_MAX_CPU_ISA unset, with PyTorch 2.6 or later: its sums are exact, on a CPU without VNNI too';
  }
  return `run on a CPU with ${vnni}${hasEngine(context) ? ', or use the qnnpack engine' : ''}: its sums are exact`;
}

/** How a candidate's own pairs become exact. */
export const WITHOUT_PAIRS =
  'add the products one by one in int32 (VPDPBUSD, or widen to int16 and use pmaddwd), not in int16 pairs (vpmaddubsw)';

/** How a candidate follows saturating pairs. */
export const IN_PAIRS =
  'add raw products in pairs (k = 0 and 1, 2 and 3, ...), clamp each pair to int16, subtract zero points afterwards';

/** How a side comes to another's sums. */
export function sumsFix({ sums: { equation } }: Formula): string {
  return equation.includes('sat16(') ? IN_PAIRS : `sum as the other side does: ${equation}`;
}
