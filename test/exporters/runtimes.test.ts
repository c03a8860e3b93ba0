/** The exporters of ONNX Runtime and TFLite run in those runtimes: what they capture is what qdiff replays. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { openArrays } from '../../src/load/npz.js';
import type { Report } from '../../src/nouns/report.js';
import { gemmModel, valueInfo } from '../support/onnx.js';
import { npy, npz } from '../support/npz.js';
import { notExplained, qdiff } from './command.js';
import { findPythonWith, PROJECT, run } from './python.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-runtimes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
