import * as z from 'zod/mini';
import { baselineSchema } from './documents/baseline.js';
import { configJsonSchema } from './documents/config.js';
import { explainSchema } from './documents/explain.js';
import { forecastSchema } from './documents/forecast.js';
import { goldenSchema } from './documents/golden.js';
import { inspectSchema } from './documents/inspect.js';
import { kernelsSchema } from './documents/kernels.js';
import { lintSchema } from './documents/lint.js';
import { reportSchema, reportsSchema } from './documents/report.js';
import { reportsDiffSchema } from './documents/reportsDiff.js';
import { tableSchema } from './documents/table.js';
import { modelJsonSchema } from './validate/modelSchema.js';

/**
 * JSON Schemas of the documents, by file name; the build writes them to dist/schemas. Those of `output` allow no other
 * fields; of the others later versions may have more.
 */
export const schemas: Readonly<Record<string, object>> = {
  'qdiff-model': modelJsonSchema(),
  'qdiff-baseline': z.toJSONSchema(baselineSchema, { io: 'input' }),
  'qdiff-config': configJsonSchema(),
  ...titled('qdiff-report', reportSchema, 'input'),
  ...titled('qdiff-reports', reportsSchema, 'input'),
  ...titled('qdiff-reports-diff', reportsDiffSchema, 'input'),
  ...titled('qdiff-explain', explainSchema, 'input'),
  ...titled('qdiff-forecast', forecastSchema, 'input'),
  ...titled('qdiff-golden', goldenSchema, 'output', 'qdiff golden vectors (manifest.json)'),
  ...titled('qdiff-inspect', inspectSchema, 'input'),
  ...titled('qdiff-kernels', kernelsSchema, 'output'),
  ...titled('qdiff-lint', lintSchema, 'output'),
  ...titled('qdiff-table', tableSchema, 'input'),
};

function titled(name: string, schema: z.ZodMiniType, io: 'input' | 'output', title = name.replace('-', ' ')) {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io });
  return { [name]: { $schema, $id: name, title, ...rest } };
}
