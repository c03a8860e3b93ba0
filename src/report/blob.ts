import { type Blob, jsonOfBlob } from '../documents/blob.js';
import { version } from '../version.js';
import { jsonText } from './json.js';
import type { Reporter } from './reporter.js';

/** One process's share of a run, for `qdiff merge`. */
export const blob: Reporter = (runs) => {
  const document: Blob = {
    format: 'qdiff-blob',
    version: 1,
    tool: { name: 'qdiff', version },
    shard: runs[0].shard!.of,
    runs: runs.map(({ name, shard }) => ({ name, ...shard!.found })),
  };
  return jsonText(jsonOfBlob(document));
};
