'use strict';
const { existsSync, readFileSync, writeFileSync, writeSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join, relative } = require('node:path');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

const root = join(__dirname, '..');
const folder = join(root, 'dist/cli');
const file = join(folder, 'main.cjs');

/** Characters: a smaller one compiles as fast as its cache is read. */
const WORTH_A_FILE = 16e3;

/** What V8 made of a file in the build (written by build.config.js): V8 takes only what the same version made. */
const compiledOf = (path) => `${path.slice(0, -'.cjs'.length)}-v8-${process.versions.v8.split('-')[0]}.cache`;

/**
 * Loads the command's main file, and later what it loads when it is needed, as `require` would, but with what V8 made of them in
 * the build: compiling is 16 of the 40 ms of a small run. V8 would run a damaged one, so that it is only handed over where its
 * checksum is right. For a V8 that the build had not, Node keeps what it compiled (from 22.1 on), which saves a quarter of that.
 */
exports.loadMain = () => {
  const sums = checksums();
  compileWith(sums);
  if (!existsSync(compiledOf(file)) && Module.enableCompileCache) Module.enableCompileCache();
  return require(file);
};

/** In the build: without any cache, and afterwards what V8 made of the files that were loaded is kept, where there is none yet. */
exports.writeCompiled = () => {
  const scripts = new Map();
  compileWith({}, scripts);
  process.on('exit', () => {
    for (const [path, script] of scripts)
      if (!existsSync(compiledOf(path))) writeFileSync(compiledOf(path), script.createCachedData());
  });
};

/** CRC-32 of the files in dist/, by their path in the package; none in the middle of a build. */
function checksums() {
  try {
    return JSON.parse(readFileSync(join(root, 'dist/checksums.json'), 'utf8'));
  } catch {
    return {};
  }
}

function cache(path, sums) {
  try {
    const compiled = compiledOf(path);
    const data = readFileSync(compiled);
    return crc32(data) === sums[nameOf(compiled)] ? data : undefined;
  } catch {
    return undefined;
  }
}

function compileWith(sums, scripts) {
  const { _compile: compile } = Module.prototype;
  Module.prototype._compile = function (source, path, ...rest) {
    if (dirname(path) !== folder) return compile.call(this, source, path, ...rest);
    check(path, source, sums);
    const cachedData = cache(path, sums);
    if (!cachedData && !scripts) return compile.call(this, source, path, ...rest);
    const script = new Script(Module.wrap(source), { filename: path, cachedData });
    if (source.length > WORTH_A_FILE) scripts?.set(path, script);
    return script.runInThisContext()(this.exports, (id) => this.require(id), this, path, folder);
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
