import { z } from 'zod';
import { explainSchema } from './report/explainSchema.js';
import { forecastSchema } from './report/forecastSchema.js';
import { goldenSchema } from './report/goldenSchema.js';
import { inspectSchema } from './report/inspectSchema.js';
import { kernelsSchema } from './report/kernelsSchema.js';
import { lintSchema } from './report/lintSchema.js';
import { reportJsonSchemas } from './report/reportSchema.js';
import { reportsDiffJsonSchemas } from './report/reportsDiffSchema.js';
import { baselineJsonSchema } from './validate/baseline.js';
import { configJsonSchema } from './validate/config.js';
import { modelJsonSchema } from './validate/modelSchema.js';

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
