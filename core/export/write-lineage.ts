/** Puts lineage and manifest beside the pictures, synced. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeDurably } from '../base/durable-file.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import type { LineageItem } from './item.ts';
import { lineageLine, tableHead, tableLine } from './lineage.ts';
import { LINEAGE_FILE, LINEAGE_TABLE, MANIFEST_FILE, type ExportManifest } from './manifest.ts';

/** Characters that are put together before they are written. */
const CHUNK = 65_536;

/**
 * Write the lineage as lines and as a table.
 * @param items in the order of the plan
 * @returns the parts of the manifest that name the two files
 */
export function writeLineage(folder: string, items: readonly LineageItem[]): Pick<ExportManifest, 'lineage' | 'table'> {
  return {
    lineage: { sha256: writeLines(join(folder, LINEAGE_FILE), '', items, lineageLine) },
    table: { sha256: writeLines(join(folder, LINEAGE_TABLE), tableHead(), items, tableLine) },
  };
}

/** Write the manifest. @returns its hash */
export function writeManifest(folder: string, manifest: ExportManifest): BlobId {
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  writeDurably(join(folder, MANIFEST_FILE), [bytes]);
  return sha256(bytes);
}

function writeLines<T>(path: string, head: string, items: readonly T[], line: (item: T) => string): BlobId {
  const hash = createHash('sha256');
  function* chunks(): Generator<Buffer> {
    let text = head;
    for (const item of items) {
      text += line(item);
      if (text.length < CHUNK) continue;
      yield hashed(text);
      text = '';
    }
    yield hashed(text);
  }
  const hashed = (text: string): Buffer => {
    const bytes = Buffer.from(text);
    hash.update(bytes);
    return bytes;
  };
  writeDurably(path, chunks());
  return hash.digest('hex');
}
