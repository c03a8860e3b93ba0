import * as z from 'zod/mini';
import { modelJsonSchema } from '../validate/modelSchema.js';
import { baselineJsonSchema } from './baseline.js';
import { configJsonSchema } from './config.js';
import { explainSchema } from './explain.js';
import { forecastSchema } from './forecast.js';
import { goldenSchema } from './golden.js';
import { inspectSchema } from './inspect.js';
import { kernelsSchema } from './kernels.js';
import { lintSchema } from './lint.js';
import { reportJsonSchemas } from './report.js';
import { reportsDiffJsonSchemas } from './reportsDiff.js';

/** JSON Schemas of the documents, by file name; the build writes them to dist/schemas. */
export const schemas: Readonly<Record<string, object>> = {
  'qdiff-model': modelJsonSchema(),
  'qdiff-baseline': baselineJsonSchema(),
  'qdiff-config': configJsonSchema(),
  ...reportJsonSchemas(),
  ...reportsDiffJsonSchemas(),
  'qdiff-explain': z.toJSONSchema(explainSchema),
  'qdiff-forecast': z.toJSONSchema(forecastSchema, { io: 'input' }),
  'qdiff-golden': z.toJSONSchema(goldenSchema),
  'qdiff-inspect': z.toJSONSchema(inspectSchema, { io: 'input' }),
  'qdiff-kernels': z.toJSONSchema(kernelsSchema),
  'qdiff-lint': z.toJSONSchema(lintSchema),
};
