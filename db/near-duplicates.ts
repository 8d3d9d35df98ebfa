/** The last look for near-duplicates. */
import type { NearMember, NearTable } from '../core/storage/project-store.ts';
import type { BlobId, NearLink, NearScan } from '../core/storage/records.ts';
import { EFFECTIVE_CLASSES } from './classes.ts';
import { insertInto, type Connection } from './connection.ts';

const SCAN = 'descriptor, floor, threshold, unreadable, seconds, createdAt';
/** Pictures with a link that counts. */
const LINKED = `SELECT a FROM nearLink WHERE cosine >= @from UNION SELECT b FROM nearLink WHERE cosine >= @from`;

export function nearTable(connection: Connection): NearTable {
  const addScan = connection.prepare<[object]>(insertInto('nearScan', `id, ${SCAN}`));
  const addPicture = connection.prepare<[BlobId]>('INSERT INTO nearPicture (hash) VALUES (?)');
  const addLink = connection.prepare<[number, number, number]>('INSERT INTO nearLink (a, b, cosine) VALUES (?, ?, ?)');
  const scan = connection.prepare<[], NearScan>(`SELECT ${SCAN} FROM nearScan`);
  const setThreshold = connection.prepare<[number]>('UPDATE nearScan SET threshold = ?');
  const links = connection.prepare<[{ from: number }], NearLink>(`
    SELECT first.hash AS a, second.hash AS b, cosine FROM nearLink
    JOIN nearPicture AS first ON first.id = a JOIN nearPicture AS second ON second.id = b
    WHERE cosine >= @from ORDER BY cosine DESC, a, b`);
  const members = connection.prepare<[{ from: number }], NearMember>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES}
    SELECT hash, image.id, root AS classId, ifnull(split, 'train') AS split
    FROM image JOIN nearPicture USING (hash) JOIN effective ON effective.id = image.classId
    WHERE nearPicture.id IN (${LINKED}) AND state = 'ok' AND excluded = 0 ORDER BY image.id`);
  const pictures = connection.prepare<[], { count: number }>('SELECT count(*) AS count FROM nearPicture');
  const unseen = connection.prepare<[], { count: number }>(`
    SELECT count(DISTINCT hash) AS count FROM image
    WHERE state = 'ok' AND excluded = 0 AND hash NOT IN (SELECT hash FROM nearPicture)`);
  return {
    replace: (found, hashes, joined) =>
      connection.transaction(() => {
        connection.execute('DELETE FROM nearLink; DELETE FROM nearPicture; DELETE FROM nearScan');
        addScan.run({ id: 1, ...found });
        const ids = new Map(hashes.map((hash) => [hash, addPicture.insert(hash)]));
        for (const { a, b, cosine } of joined) {
          const [first, second] = [ids.get(a)!, ids.get(b)!];
          addLink.run(Math.min(first, second), Math.max(first, second), cosine);
        }
      }),
    scan: () => scan.get(),
    setThreshold: (threshold) => setThreshold.change(threshold),
    links: (from) => links.all({ from }),
    members: (from) => members.all({ from }),
    counts: () => ({ seen: pictures.get()!.count, unseen: unseen.get()!.count }),
  };
}
