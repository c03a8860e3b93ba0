import { InputError } from '../nouns/problem.js';
import type { Processes } from '../nouns/processes.js';
import { printable } from '../text.js';
import type { CommandIo } from './command.js';

/** Frameworks with an exporter, and the file that ships with the package. */
export const EXPORTERS: Readonly<Record<string, string>> = {
  pytorch: 'src/exporters/pytorch/qdiff_export.py',
  onnx: 'src/exporters/onnx/qdiff_onnx.py',
  tflite: 'src/exporters/tflite/qdiff_tflite.py',
};

/** Captures from Node. */
const NODE_EXPORTER = 'dist/exporters/qdiff_onnx.cjs';

/** What a model is that can be run. */
export type RunnableKind = 'onnx' | 'tflite' | 'pytorch';

/** The files of a run, as absolute paths. */
interface RunFiles {
  readonly model: string;
  readonly inputs: string;
  /** Where the exporter leaves what it makes. */
  readonly folder: string;
  /** The capture's name there. */
  readonly capture: string;
}

export interface Runtime {
  /** --runtime takes it. */
  readonly name: string;
  readonly kind: RunnableKind;
  /** Python's modules that it needs; of a list any one. None: Python has nothing to do with it. */
  readonly modules: readonly (readonly string[])[];
  /** What pip installs for them. */
  readonly packages: string;
  /** The Node package that does where no Python has the modules. */
  readonly nodePackage?: string;
  /** The exporter's command line. */
  readonly args: (files: RunFiles) => readonly string[];
}

const TFLITE_MODULES = [['ai_edge_litert', 'tflite_runtime', 'tensorflow'], ['numpy']] as const;

function tflite(name: string, kernel: string, modules: readonly (readonly string[])[] = [], packages = ''): Runtime {
  return {
    name,
    kind: 'tflite',
    modules: [...TFLITE_MODULES, ...modules],
    packages: `ai-edge-litert${packages}`,
    args: ({ model, inputs, folder, capture }) => [model, inputs, `${folder}/${capture}`, '--kernel', kernel],
  };
}

/** The first of a kind is its default. */
const RUNTIMES: readonly Runtime[] = [
  {
    name: 'onnxruntime',
    kind: 'onnx',
    modules: [['onnx'], ['onnxruntime'], ['numpy']],
    packages: 'onnx onnxruntime',
    nodePackage: 'onnxruntime-node',
    args: ({ model, inputs, folder, capture }) => [model, inputs, `${folder}/${capture}`],
  },
  {
    name: 'onnxruntime-node',
    kind: 'onnx',
    modules: [],
    packages: '',
    nodePackage: 'onnxruntime-node',
    args: ({ model, inputs, folder, capture }) => [model, inputs, `${folder}/${capture}`],
  },
  tflite('xnnpack', 'xnnpack'),
  tflite('tflite-builtin', 'builtin'),
  tflite('tflite-reference', 'reference'),
  tflite('tflm', 'tflm', [['tflite_micro']], ' tflite-micro'),
  {
    name: 'pytorch',
    kind: 'pytorch',
    modules: [['torch'], ['numpy']],
    packages: 'torch numpy',
    args: ({ model, inputs, folder, capture }) => [
      ...[`--model=${model}`, `--inputs=${inputs}`, `--out=${folder}`],
      `--capture-name=${capture}`,
    ],
  },
];

/** The runtime that is asked for, or the kind's default. Throws InputError. */
export function runtimeFor(kind: RunnableKind, asked: string | undefined): Runtime {
  const able = RUNTIMES.filter((runtime) => runtime.kind === kind);
  const found = asked === undefined ? able[0] : able.find(({ name }) => name === asked);
  if (found) return found;
  const known = RUNTIMES.some(({ name }) => name === asked) ? ', which runs other models' : '';
  const message = `expected one of ${able.map(({ name }) => name).join(', ')} for this model, got ${printable(asked!)}${known}`;
  throw new InputError([{ kind: 'usage', where: '--runtime', message }]);
}

const HAS_MODULES = `
import importlib.util, sys
sys.exit(0 if all(any(importlib.util.find_spec(name) for name in any_of.split("|")) for any_of in sys.argv[1:]) else 3)
`;

/** A program that captures. */
export interface Runner {
  readonly program: string;
  /** What it runs, a file of the package. */
  readonly exporter: string;
  /** Arguments before those of the exporter's command line. */
  readonly before: readonly string[];
}

/**
 * QDIFF_PYTHON, or the first Python of the path that has the runtime, or this Node with the runtime's package beside qdiff. Throws
 * InputError with the command that installs it.
 */
export async function runnerFor(io: CommandIo, processes: Processes, runtime: Runtime): Promise<Runner> {
  const { nodePackage } = runtime;
  const asked = runtime.modules.length > 0 ? io.env.QDIFF_PYTHON : undefined;
  const python = await pythonFor(processes, runtime, asked ? [asked] : ['python3', 'python']);
  if (python.found) return { program: python.found, exporter: EXPORTERS[runtime.kind], before: [] };
  const path = nodePackage && !asked ? processes.beside(nodePackage) : null;
  if (path !== null) return { program: processes.node, exporter: NODE_EXPORTER, before: [path] };
  const npm = nodePackage && !asked ? `npm i ${nodePackage} --onnxruntime-node-install=skip` : null;
  const here =
    npm && (python.missing ? `; or beside qdiff: ${npm}` : `expected ${nodePackage} beside qdiff; install: ${npm}`);
  const message = `${python.missing ?? ''}${here ?? ''}`;
  throw new InputError([{ kind: 'no-runtime', where: runtime.name, message }]);
}

/** The first program that has the runtime's modules; else what is missing. */
async function pythonFor(
  processes: Processes,
  { modules, packages }: Runtime,
  tried: readonly string[],
): Promise<{ readonly found?: string; readonly missing?: string }> {
  if (modules.length === 0) return {};
  let present: string | null = null;
  for (const program of tried) {
    const ended = await processes.run(program, ['-c', HAS_MODULES, ...modules.map((names) => names.join('|'))]);
    if (ended?.status === 0) return { found: program };
    if (ended?.status === 3) present ??= program;
  }
  const names = modules.map((any) => any.join(' or ')).filter((name) => name !== 'numpy');
  const where = tried.length === 1 ? 'in QDIFF_PYTHON' : 'on the path (or in QDIFF_PYTHON)';
  const got = present === null ? `no ${printable(tried[0])}` : `${printable(present)} without`;
  // what is no Python installs nothing
  const fix =
    present === null && tried.length === 1
      ? 'set it to a Python, or to nothing'
      : `install: ${printable(present ?? tried[0])} -m pip install ${packages}`;
  return { missing: `expected a Python with ${names.join(' and ')} ${where}, got ${got}; ${fix}` };
}
