/** Tries the inputs whose numbers it is sent, one after the other; see run.js. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { caseOf } from './cases.js';
import { makeCorpus } from './corpus.js';
import { tryInput } from './input.js';
import { run } from './io.js';
import { Numpy } from './numpy.js';
import type { Fault } from './oracle.js';

interface Question {
  readonly seed: number;
  readonly index: number;
  /** The first that is not tried any more. */
  readonly to: number;
  readonly kind?: string;
  /** A folder for the input and what came of it; it is not judged then. */
  readonly save?: string;
}

/** More than this for files of less than a megabyte is a fault. */
const MOST_BYTES = 300 << 20;

const corpus = await makeCorpus();
const numpy = await Numpy.start(process.env.QDIFF_FUZZ_PYTHON ?? 'python3');
const stray: Fault[] = [];
const note = (kind: string) => (error: unknown) => {
  stray.push({ kind, detail: String(error instanceof Error ? error.stack : error).slice(0, 600) });
};
process.on('uncaughtException', note('uncaught'));
process.on('unhandledRejection', note('unhandled'));
let highest = peak();
process.on('message', async (question: Question) => {
  if (question.save) return process.send!(await save(question));
  // one after the other without a word from outside: on a busy machine each word waits for its turn
  for (let { index } = question; index < question.to; index++) process.send!(await answer({ ...question, index }));
});
process.send!({ ready: true, numpy: numpy !== null });

function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}

async function answer({ seed, index, kind }: Question) {
  try {
    const { one, result, ms, faults } = await tryInput(seed, index, corpus, numpy, kind);
    await new Promise(setImmediate); // rejections that nobody waits for
    const bytes = [...one.files.values()].reduce((sum, data) => sum + data.length, 0);
    const used = peak() - highest;
    highest = peak();
    const memory = used > MOST_BYTES ? [{ kind: 'memory', detail: `${used >> 20} MiB for ${bytes} bytes` }] : [];
    const messages = result.code === 2 ? result.stderr.trimEnd().split('\n').slice(0, 6) : [];
    const all = [...faults, ...memory, ...stray.splice(0)];
    return { kind: one.kind, code: result.code, ms, bytes, messages, faults: all, highest };
  } catch (error) {
    note('thrown')(error);
    return { kind: kind ?? '?', code: -1, ms: 0, bytes: 0, messages: [], faults: stray.splice(0), highest };
  }
}

async function save({ seed, index, kind, save: folder }: Question) {
  const { argv, files, env, terminal } = await caseOf(seed, index, corpus, kind);
  for (const [path, data] of files) {
    mkdirSync(join(folder!, 'files', dirname(path)), { recursive: true });
    writeFileSync(join(folder!, 'files', path), data);
  }
  writeFileSync(join(folder!, 'cmd.json'), JSON.stringify({ argv, env, terminal }, null, 1));
  const { code, stdout, stderr } = await run(argv, files, { env, terminal });
  writeFileSync(join(folder!, 'result.json'), JSON.stringify({ code, stdout, stderr }, null, 1));
  return { saved: folder };
}
