// npm run fuzz -- COUNT SEED [--from I] [--only KIND] [--out DIR] [--minutes M] [--python PYTHON] [--show I]
// Needs `npm run build`. Tries COUNT inputs, each in a process that is replaced where it hangs, ends or grows.
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'rolldown';
import { assemblyscript } from '../../src/accelerate/assembly/compile.js';
import { Tally } from './tally.js';

/** Of work: on a machine that does much else an `inspect` of half a second takes more than a minute. */
const HANG_MS = 30_000;
/** Asleep without any work: what waits for what never comes. A process that would run if it were let is not asleep. */
const ASLEEP_MS = 900_000;
const LOOK_MS = 2000;
const REPLACED_BYTES = 1100 << 20;
const EXAMPLES = 60;

const text = { type: 'string' };
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { from: text, only: text, out: text, minutes: text, python: text, show: text },
});
if (positionals.length !== 2) {
  console.error(
    'npm run fuzz -- COUNT SEED [--from I] [--only KIND] [--out DIR] [--minutes M] [--python PYTHON] [--show I]',
  );
  process.exit(2);
}
const [count, seed] = positionals.map(Number);
const from = Number(values.from ?? 0);
const root = fileURLToPath(new URL('../..', import.meta.url));
const out = resolve(values.out ?? join(tmpdir(), 'qdiff-fuzz'));
const end = Date.now() + Number(values.minutes ?? 1e6) * 60_000;
mkdirSync(out, { recursive: true });
const script = join(out, 'child.mjs');
await build({
  input: fileURLToPath(new URL('child.ts', import.meta.url)),
  platform: 'node',
  plugins: [assemblyscript],
  output: { file: script, format: 'esm', codeSplitting: false },
});

/** Milliseconds that a process has worked, and whether it would work; where there is no /proc, those of the clock. */
function workOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return { work: (Number(fields[11]) + Number(fields[12])) * 10, asleep: fields[0] !== 'R' }; // ticks of 1/100 s
  } catch {
    return { work: Date.now(), asleep: false };
  }
}

/** A process that tries inputs, and the answers that it sends. */
class Child {
  async start() {
    const env = {
      ...process.env,
      QDIFF_FUZZ_ROOT: root,
      ...(values.python ? { QDIFF_FUZZ_PYTHON: values.python } : {}),
    };
    this.errors = '';
    this.process = fork(script, {
      env,
      execArgv: ['--max-old-space-size=1500'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.process.stderr.on('data', (data) => {
      this.errors = (this.errors + data).slice(-4000);
    });
    this.messages = on(this.process, 'message');
    this.end = once(this.process, 'close').then(([code, signal]) => ({
      ended: 'process-ended',
      detail: `${signal ?? code}: ${this.errors}`,
    }));
    const { numpy, ended, detail } = await this.answer();
    if (ended) throw new Error(`the corpus could not be made: ${ended} ${detail}`);
    return numpy;
  }

  /** The next message; `{ ended }` where none comes. */
  async answer() {
    let last = workOf(this.process.pid).work;
    let [timer, worked, slept] = [null, 0, 0];
    const hang = new Promise((noticed) => {
      timer = setInterval(() => {
        const { work, asleep } = workOf(this.process.pid);
        slept = asleep && work === last ? slept + LOOK_MS : 0;
        worked += work - last;
        last = work;
        if (worked > HANG_MS || slept > ASLEEP_MS)
          noticed({ ended: 'hang', detail: `${worked} ms of work, ${slept} ms asleep` });
      }, LOOK_MS);
    });
    const message = this.messages.next().then(({ value }) => value[0]);
    const answer = await Promise.race([message, this.end, hang]);
    clearInterval(timer);
    if (answer.ended) this.stop();
    return answer;
  }

  ask(question) {
    this.process.send(question);
  }

  stop() {
    this.process.kill('SIGKILL');
  }
}

/** Also on the way: a long run may be ended from outside. */
function report(aloud) {
  writeFileSync(join(out, 'summary.json'), JSON.stringify(tally.summary(), null, 1));
  writeFileSync(join(out, 'messages.txt'), tally.messageLines().join('\n'));
  if (aloud) console.log(tally.line());
}

const child = new Child();
const hasNumpy = await child.start();
const tally = new Tally({ seed, from, numpy: hasNumpy });
/** What to try: every input up to `to`, without waiting for each to be asked; with `save` the first alone, into a folder. */
const question = (index, to, save) => ({ seed, index, to, kind: values.only, save });

async function saved(index, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  child.ask(question(index, index + 1, folder));
  const { ended } = await child.answer();
  if (ended) await child.start();
  return folder;
}

if (values.show !== undefined) {
  console.log(await saved(Number(values.show), join(out, `case-${values.show}`)));
} else {
  const to = from + count;
  child.ask(question(from, to));
  for (let index = from; index < to && Date.now() < end; index++) {
    const answer = await child.answer();
    tally.add(index, answer);
    if (answer.ended || answer.highest > REPLACED_BYTES) {
      child.stop();
      await child.start(); // memory counts from the start again
      child.ask(question(index + 1, to));
    }
    if (tally.done % 1000 === 0) report(tally.done % 5000 === 0);
  }
  report(true);
  child.stop();
  await child.start(); // the one before may still be at work
  rmSync(join(out, 'faults'), { recursive: true, force: true });
  for (const [i, { kind, key, count: times, smallest }] of tally.faults().slice(0, EXAMPLES).entries()) {
    console.log(`${String(times).padStart(6)}  #${smallest.index} ${key.slice(0, 200)}`);
    await saved(smallest.index, join(out, 'faults', `${String(i).padStart(2, '0')}-${kind}-${smallest.index}`));
  }
  process.exitCode = tally.faults().length > 0 ? 1 : 0;
}
child.stop();
