#!/usr/bin/env node
'use strict';
require('./load.js').loadMain();
require('../dist/cli/cli.cjs').run(process);
