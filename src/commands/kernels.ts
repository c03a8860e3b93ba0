import { listKernels } from '../analyze/kernels.js';
import type { KernelsDocument } from '../documents/kernels.js';
import { kernelByName, kernels } from '../kernels/registry.js';
import { verifications } from '../kernels/verification.js';
import { kernelsText } from '../report/kernels.js';
import type { CliCommand, CommandIo } from './command.js';
import { checkTargets, declareOutput, formatsOf, type OutputOptions, writeDocument } from './output.js';

/** The kernel models, their equations, and what each was verified against. */
export const kernelsCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('kernels [name...]')
      .usage('[NAME...] [options]')
      .description(
        'the kernel models: equation, where it runs, what it was verified against; -v: the ops each replays',
      );
    declareOutput(command).action((names: string[], options: OutputOptions) =>
      run((io) => kernelsAction(io, names, options)),
    );
  },
};

async function kernelsAction(io: CommandIo, names: readonly string[], options: OutputOptions): Promise<number> {
  checkTargets(options.reporter);
  const chosen = names.length === 0 ? kernels : names.map((name) => kernelByName(name, 'arguments'));
  await writeDocument<KernelsDocument>(io, listKernels(chosen, verifications), formatsOf(kernelsText), options);
  return 0;
}
