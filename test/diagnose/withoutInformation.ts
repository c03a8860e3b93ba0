/** Values that no layer computed: constant, shuffled within a row, noise. No cause is to be named on them. */
import { rivalKernels } from '../../src/kernels/registry.js';
import { DATA, diagnosisIn, OPS, randomLayer, reported, rightValues, validated, without } from './randomLayers.js';
import { randomFrom } from './world.js';

const PRODUCERS = [
  {},
  { framework: 'pytorch', engine: 'x86' },
  { framework: 'onnxruntime' },
  { framework: 'litert', kernel: 'xnnpack' },
];
const KERNELS = rivalKernels(null).map(({ name }) => name);
const ALLOWED = new Set(['unexplained', 'constant-values']);

/** What is named on the values of a seed; null: all values are right by chance. */
export async function namesOn(seed: number): Promise<string[] | null> {
  const random = randomFrom(seed * 7919 + 13);
  const pick = <T>(from: readonly T[]) => from[random.integer(0, from.length - 1)];
  const [op, what] = [pick(OPS), pick(DATA)];
  const side = random.uniform() < 0.5 ? 'capture' : 'candidate';
  const [kernel, producer] = [pick(KERNELS), pick(PRODUCERS)];
  const layer = randomLayer(random, op);
  const model = await validated(layer, producer);
  const under = async (name?: string) => ({ name, right: await rightValues(layer, model, name) });
  // some runtimes have no such pool
  const base = await under(kernel).catch(() => under().catch(() => under('fbgemm')));
  const values = without(random, what, base.right, layer);
  const diagnosis = diagnosisIn(await reported(layer, model, values, side, base.name));
  if (!diagnosis) return null;
  return diagnosis.causes.filter((cause) => !ALLOWED.has(cause)).map((cause) => `${op}, ${what}: ${cause}`);
}
