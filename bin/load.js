'use strict';
const { readFileSync, writeSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join, relative } = require('node:path');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

const root = join(__dirname, '..');
const folder = join(root, 'dist/cli');
const file = join(folder, 'main.cjs');

/** What V8 made of the main file in the build (written by build.config.js): V8 takes only what the same version made. */
exports.compiled = join(folder, `main-v8-${process.versions.v8.split('-')[0]}.cache`);

/**
 * Loads the command's main file as `require` would, but with what V8 made of it in the build: compiling is 16 of the 40 ms of a
 * small run. V8 would run a damaged one, so that it is only handed over where its checksum is right. For a V8 that the build had
 * not, Node keeps what it compiled (from 22.1 on), which saves a quarter of that.
 */
exports.loadMain = () => {
  const sums = checksums();
  checkWhatIsLoaded(sums);
  const cachedData = cache(sums);
  if (cachedData || !Module.enableCompileCache) return exports.compileMain(cachedData, sums);
  Module.enableCompileCache();
  require(file);
};

/** Without Node's cache. Returns the script. */
exports.compileMain = (cachedData, sums = {}) => {
  const source = readFileSync(file, 'utf8');
  check(file, source, sums);
  const module = new Module(file);
  module.filename = file;
  require.cache[file] = module; // the files beside it require it
  const script = new Script(Module.wrap(source), { filename: file, cachedData });
  script.runInThisContext()(module.exports, (id) => module.require(id), module, file, folder);
  module.loaded = true;
  return script;
};

/** CRC-32 of the files in dist/, by their path in the package; none in the middle of a build. */
function checksums() {
  try {
    return JSON.parse(readFileSync(join(root, 'dist/checksums.json'), 'utf8'));
  } catch {
    return {};
  }
}

function cache(sums) {
  try {
    const data = readFileSync(exports.compiled);
    return crc32(data) === sums[nameOf(exports.compiled)] ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Also what the main file loads when it is needed. */
function checkWhatIsLoaded(sums) {
  const { _compile: compile } = Module.prototype;
  Module.prototype._compile = function (source, path, ...rest) {
    if (dirname(path) === folder) check(path, source, sums);
    return compile.call(this, source, path, ...rest);
  };
}

function check(path, source, sums) {
  const name = nameOf(path);
  if (sums[name] === undefined || crc32(source) === sums[name]) return;
  writeSync(2, `qdiff: ${name}: expected the file of this version, got one that is damaged; install qdiff again\n`);
  process.exit(2);
}

/** As the checksums call it. */
function nameOf(path) {
  return relative(root, path).replaceAll('\\', '/');
}
