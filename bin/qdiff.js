#!/usr/bin/env node
'use strict';
require('./load.js').loadMain().run(process);
