'use strict';
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const folder = join(__dirname, '../dist/cli');
const file = join(folder, 'main.cjs');

/**
 * Loads the command's main file as `require` would, but with what V8 made of it in the build (dist/cli/main.cache, written by
 * build.config.js): compiling is 16 of the 40 ms of a small run. V8 refuses the cache of another V8, and compiles. Returns
 * the script.
 */
exports.loadMain = () => {
  const module = new Module(file);
  module.filename = file;
  require.cache[file] = module; // the files beside it require it
  const script = new Script(Module.wrap(readFileSync(file, 'utf8')), { filename: file, cachedData: cache() });
  script.runInThisContext()(module.exports, (id) => module.require(id), module, file, folder);
  module.loaded = true;
  return script;
};

function cache() {
  try {
    return readFileSync(join(folder, 'main.cache'));
  } catch {
    return undefined;
  }
}
