import { InputError } from '../nouns/problem.js';
import { printable } from '../text.js';
import type { CliCommand } from './command.js';
import { EXPORTERS } from './runtimes.js';

export const exporterCommand: CliCommand = {
  register(program, run) {
    program
      .command('exporter <framework>')
      .usage(`${Object.keys(EXPORTERS).join('|')} [options]`)
      .description('print the Python file that captures: qdiff exporter pytorch > qdiff_export.py')
      .action((framework: string) =>
        run(async (io) => {
          if (!Object.hasOwn(EXPORTERS, framework)) {
            const message = `expected a framework (${Object.keys(EXPORTERS).join(', ')}), got ${printable(framework)}`;
            throw new InputError([{ kind: 'usage', where: 'exporter', message }]);
          }
          io.stdout.write(await io.readAsset(EXPORTERS[framework]));
          return 0;
        }),
      );
  },
};
