/** Which bytes of the blob store some record names. */
import type { BlobId } from '../core/storage/records.ts';
import type { Connection } from './connection.ts';

const RUN_COLUMNS = ['datasetBlob', 'bankBlob', 'modelBlob', 'predictionsBlob'] as const;

/** See `ProjectStore.namedBlobs`. */
export function namedBlobs(
  connection: Connection,
): (ids: readonly BlobId[], exceptRuns?: readonly number[]) => Set<BlobId> {
  const parts = [
    ...RUN_COLUMNS.map((column) => `SELECT ${column} FROM run WHERE ${column} IN asked AND id NOT IN spared`),
    ...['variant', 'reliance'].map((table) => `SELECT blob FROM ${table} WHERE blob IN asked AND runId NOT IN spared`),
    ...['saliency', 'mask'].map((table) => `SELECT blob FROM ${table} WHERE blob IN asked`),
  ];
  const named = connection.prepare<[string, string], { blob: BlobId }>(`
    WITH asked AS MATERIALIZED (SELECT value FROM json_each(?)), spared AS MATERIALIZED (SELECT value FROM json_each(?)),
      named (blob) AS (${parts.join(' UNION ')})
    SELECT blob FROM named`);
  return (ids, exceptRuns = []) =>
    new Set(named.all(JSON.stringify(ids), JSON.stringify(exceptRuns)).map(({ blob }) => blob));
}
