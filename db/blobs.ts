/** Which bytes of the blob store some record names. */
import type { BlobId } from '../core/storage/records.ts';
import type { Connection } from './connection.ts';

const COLUMNS = {
  run: ['datasetBlob', 'bankBlob', 'modelBlob', 'predictionsBlob'],
  saliency: ['blob'],
  mask: ['blob'],
} as const;

/** See `ProjectStore.namedBlobs`. */
export function namedBlobs(connection: Connection): (ids: readonly BlobId[]) => Set<BlobId> {
  const parts = Object.entries(COLUMNS).flatMap(([table, columns]) =>
    columns.map((column) => `SELECT ${column} AS blob FROM ${table} WHERE ${column} IN asked`),
  );
  const named = connection.prepare<[string], { blob: BlobId }>(
    `WITH asked AS MATERIALIZED (SELECT value FROM json_each(?)) ${parts.join(' UNION ')}`,
  );
  return (ids) => new Set(named.all(JSON.stringify(ids)).map(({ blob }) => blob));
}
