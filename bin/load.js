'use strict';
const {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} = require('node:fs');
const Module = require('node:module');
const { basename, dirname, join } = require('node:path');
const { Script } = require('node:vm');

const root = dirname(__dirname);
const CODE = 'dist/cli/';
const folder = join(root, CODE.slice(0, -1));
const file = join(folder, 'main.cjs');

/** Characters: a smaller one compiles as fast as its cache is read. */
const WORTH_A_FILE = 16e3;

/** What V8 made of a file in the build (written by build.config.js): V8 takes only what the same version made. */
const builtFrom = (path) => `${path.slice(0, -'.cjs'.length)}-v8-${process.versions.v8.split('-')[0]}.cache`;

/**
 * Loads the command's main file, and later what it loads when it is needed, as `require` would, but with what V8 made of them:
 * compiling is 40% of a small run. For a V8 that the build had not, that is kept from the first short run on, where Node keeps the like
 * (22.8 on, unless NODE_DISABLE_COMPILE_CACHE): what Node keeps itself lacks functions that are called after loading, most of it.
 */
exports.loadMain = () => {
  const sums = checksums();
  const names = new Set(readdirSync(folder)); // what lies elsewhere is read when it is asked for, and its absence told then
  const gone = Object.keys(sums).find((name) => name.startsWith(CODE) && !names.has(name.slice(CODE.length)));
  if (gone) refuse(gone, 'none');
  if (existsSync(builtFrom(file))) compileWith(sums, builtFrom);
  else {
    Module.enableCompileCache?.();
    const kept = Module.getCompileCacheDir?.();
    if (kept)
      keepCompiled(sums, (path, sum) => join(kept, `qdiff-${basename(builtFrom(path), '.cache')}-${sum}.cache`), {
        isWorthKeeping: didItsWork,
        clears: forgetOlder,
      });
    else compileWith(sums, builtFrom);
  }
  return require(file);
};

/**
 * In the build: what V8 made of the files that are loaded is kept beside them. Of the main file by the first run, of others what a later run
 * calls besides is added.
 */
exports.writeCompiled = () => {
  keepCompiled({}, builtFrom, { adds: (path) => path !== file });
  return require(file);
};

/**
 * Microseconds of the CPU. What V8 made of functions that have not run for a while is dropped: after a long run most is gone. And of a
 * model of some size it makes what a small run does without, but reads (70 kB, 1 to 2 ms).
 */
const SHORT_RUN = 5e5;

/** --version calls few functions. */
const didItsWork = () => process.argv.length >= 4 && process.cpuUsage().user < SHORT_RUN;

/** What V8 made by the end of a run is kept, of files that have no such yet. */
function keepCompiled(sums, nameOf, { adds, isWorthKeeping = () => true, clears = () => {} }) {
  const scripts = compileWith(sums, nameOf, new Map(), adds);
  process.on('exit', (code) => {
    optimizeSoon();
    if (code > 1 || !isWorthKeeping()) return;
    for (const [name, { script, source }] of scripts) {
      const data = script.createCachedData();
      const whole = `${name}.${process.pid}`; // another process may read it
      try {
        writeFileSync(whole, Buffer.concat([data, data, source]));
        renameSync(whole, name);
        clears(name);
      } catch {} // no place to write: compiled again
    }
  });
}

/** Of one file, for one V8: who has several versions of qdiff uses them in turns. */
const MOST_KEPT = 3;

/** What was kept of versions that are gone; of the same name but for the checksum, so that nothing else is touched. */
function forgetOlder(name) {
  const stem = basename(name).replace(/[^-]*$/, '');
  const kept = readdirSync(dirname(name))
    .filter((other) => other.startsWith(stem))
    .map((other) => join(dirname(name), other))
    .map((path) => ({ path, age: -statSync(path).mtimeMs }))
    .sort((a, b) => a.age - b.age);
  for (const { path } of kept.slice(MOST_KEPT)) rmSync(path, { force: true });
}

/** CRC-32 of the files in dist/, by their path in the package; none in the middle of a build. */
function checksums() {
  try {
    return JSON.parse(readFileSync(join(root, 'dist/checksums.json'), 'utf8'));
  } catch {
    return {};
  }
}

/** V8 would run what is damaged, or another file's: behind it stands a copy, and one of its source. Checksums need zlib, 2.5 ms of a start. */
function compiledIn(name, source) {
  let file;
  try {
    file = openSync(name);
    const data = Buffer.allocUnsafeSlow((fstatSync(file).size - source.length) / 2);
    const length = readSync(file, data);
    return length === data.length && isNext(file, data) && isNext(file, source) ? data : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function isNext(file, expected) {
  const piece = Buffer.allocUnsafeSlow(1 << 16);
  for (let at = 0; at < expected.length; ) {
    const end = at + readSync(file, piece, 0, Math.min(piece.length, expected.length - at));
    if (end === at || piece.compare(expected, at, end, 0, end - at) !== 0) return false;
    at = end;
  }
  return true;
}

/** scripts: takes what is compiled here, under the name that it is to have; adds: and those of which that is there already. */
function compileWith(sums, nameOf, scripts, adds = () => false) {
  const { '.cjs': other = Module._extensions['.js'] } = Module._extensions;
  const load = (module, path) => {
    const bytes = readFileSync(path);
    const name = nameOf(path, sums[CODE + basename(path)]);
    const cachedData = compiledIn(name, bytes);
    if (!cachedData) check(path, bytes, sums);
    const source = bytes.toString('latin1'); // written in ASCII, which is read as UTF-8 in ten times the time
    const isKept = scripts && (!cachedData || adds(path)) && source.length > WORTH_A_FILE;
    if (!cachedData && !isKept) return module._compile(source, path);
    optimizeSoon();
    const script = new Script(Module.wrap(source), { filename: path, cachedData });
    if (isSearching) optimizeLater();
    if (isKept) scripts.set(name, { script, source: bytes });
    script.runInThisContext()(module.exports, (id) => module.require(id), module, path, folder);
  };
  Module._extensions['.cjs'] = (module, path) => {
    if (dirname(path) !== folder) return other(module, path);
    load(module, path);
    if (basename(path) === SEARCH) optimizeLater();
  };
  return scripts;
}

const SEARCH = 'diagnose.cjs';

/** V8 12 and later: calls before Maglev optimizes a function, and TurboFan; and the like for the loop that it is in. */
const waitsFor = (maglev, turbofan, maglevLoop, loop) =>
  `--invocation-count-for-maglev=${maglev} --invocation-count-for-turbofan=${turbofan} ` +
  `--invocation-count-for-maglev-osr=${maglevLoop} --invocation-count-for-osr=${loop}`;
const LONG = waitsFor(4000, 30000, 800, 5000);

/**
 * By V8, of Node 20, 22, 24 and 26: a flag that another has no more it would complain of. soon: as it starts, which with Maglev is not
 * what --v8-options prints.
 */
const THRESHOLDS = {
  11.3: { soon: '--interrupt-budget=67584', later: '--interrupt-budget=600000' },
  12.4: { soon: waitsFor(400, 3000, 100, 800), later: LONG },
  13.6: { soon: waitsFor(400, 10000, 100, 800), later: LONG },
  14.6: { soon: waitsFor(400, 16000, 100, 800), later: LONG },
}[process.versions.v8.split('.', 2).join('.')];

let isSearching = false;

/**
 * A search runs thousands of functions for some hundred milliseconds, and V8 would take a third of them to optimize what is soon done: a
 * small run with a diagnosis takes 120 ms in place of 150, one of seconds a tenth less.
 */
function optimizeLater() {
  isSearching = true;
  if (THRESHOLDS) require('node:v8').setFlagsFromString(THRESHOLDS.later);
}

/** V8 refuses code that it made under other flags than those it has. */
function optimizeSoon() {
  if (isSearching && THRESHOLDS) require('node:v8').setFlagsFromString(THRESHOLDS.soon);
}

function check(path, bytes, sums) {
  const name = CODE + basename(path);
  if (sums[name] === undefined || sums[name] === require('node:zlib').crc32(bytes)) return;
  refuse(name, 'one that is damaged');
}

/** 1 would say that values differ. */
function refuse(name, got) {
  writeSync(2, `qdiff: ${name}: expected the file of this version, got ${got}; install qdiff again\n`);
  process.exit(2);
}
