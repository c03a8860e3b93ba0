/** The process that captures, started by `qdiff run`: a fault of ONNX Runtime ends it alone. */
import { nodeFileSystem } from '../../io.js';
import { InputError } from '../../nouns/problem.js';
import { capture } from './capture.js';
import { loadRuntime } from './runtime.js';

const [runtime, model, inputs, capturePath] = process.argv.slice(2);

capture(nodeFileSystem, loadRuntime(runtime), { model, inputs, capture: capturePath }).catch((error) => {
  for (const line of saidOf(error)) process.stderr.write(`qdiff_onnx: ${line}\n`);
  process.exitCode = 2;
});

function saidOf(error: unknown): string[] {
  if (error instanceof InputError) {
    return error.problems.map(({ where, message }) => (where ? `${where}: ${message}` : message));
  }
  return [
    `${model}: ${String(error instanceof Error ? error.message : error)
      .split(/\s+/)
      .join(' ')
      .slice(0, 400)}`,
  ];
}
