import { readFileSync } from 'node:fs';
import { machine } from 'node:os';

/** Who computed: as the Python exporter writes it. */
export function producerOf(version: string, changed: number): object {
  const flags = cpuFlags();
  const arch = machine();
  const isOldArm = /^(aarch64|arm64)$/i.test(arch) && flags !== null && !flags.has('asimddp');
  return {
    framework: 'onnxruntime',
    framework_version: version,
    kernel: isOldArm ? 'ort-arm' : 'ort',
    arch,
    threads: 1,
    ...(flags && /^(x86_64|amd64)$/i.test(arch) && x86Facts(flags)),
    settings: { graph_optimization_level: 'extended', intra_op_num_threads: 1 },
    delegated: [],
    environment: environment(),
    outputs_changed_by_capturing: changed,
  };
}

const LADDER = [
  ['AVX512', 'avx512f'],
  ['AVX2', 'avx2'],
  ['AVX', 'avx'],
  ['SSE4.1', 'sse4_1'],
] as const;

function x86Facts(flags: ReadonlySet<string>): object {
  const [capability] = LADDER.find(([, flag]) => flags.has(flag)) ?? ['SSE2'];
  const facts = ['avx512_vnni', 'avx_vnni', 'amx_int8'].map((name) => [name, flags.has(name)] as const);
  return { cpu_capability: capability, avx512: flags.has('avx512f'), ...Object.fromEntries(facts) };
}

function environment(): object {
  const names = ['ORT_DISABLE_ALL_OPTIMIZATIONS', 'OMP_NUM_THREADS'].filter((name) => process.env[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** The first processor's, as Linux names them; null: unknown. */
function cpuFlags(): ReadonlySet<string> | null {
  let text: string;
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return null; // not Linux
  }
  const line = /^(?:flags|Features)\s*: (.*)$/m.exec(text)?.[1];
  return line === undefined ? null : new Set(line.split(' '));
}
