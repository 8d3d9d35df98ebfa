/** Near-duplicates: looking for them, and what the last look came to. */
import type { NearOutcome, NearReport } from '../api/near-duplicates.ts';
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { putSnapshot, takeSnapshot } from '../data/snapshot.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { describedBy, descriptors } from '../near/descriptors.ts';
import type { NearDuplicatesResult, NearDuplicatesSpec } from '../near/near-duplicates-job.ts';
import type { Project } from '../storage/project.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import { findNear } from './duplicates.ts';
import { engineJobEnvironment } from './job-environment.ts';

export interface NearOptions {
  /** `DescriptorInfo.name`; the best that is here when absent. */
  by?: string;
}

/**
 * Look for near-duplicates among the usable images, and keep what is found in place of the last look. The threshold stays
 * as a person set it for the same descriptor.
 * @throws UserError as `describedBy`; 'empty' without images; 'cancelled' (what was described is kept), 'engine', 'memory',
 *   'no-space'
 */
export async function findNearDuplicates(
  { store, blobs, cacheFolder }: Project,
  { by = descriptors()[0].name }: NearOptions,
  runJob: RunJob,
  { onEvent, signal }: Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'> = {},
): Promise<NearOutcome> {
  const { threshold, floor } = describedBy(by);
  const snapshot = takeSnapshot(store);
  const spec: NearDuplicatesSpec = {
    snapshotBlob: putSnapshot(blobs, snapshot),
    blobFolder: blobs.folder,
    cacheFolder,
    descriptor: by,
    floor,
  };
  const started = performance.now();
  const result = await runJob<NearDuplicatesSpec, Progress, NearDuplicatesResult>('near-duplicates', spec, {
    ...(onEvent ? { onEvent } : {}),
    ...(signal ? { signal } : {}),
    env: engineJobEnvironment(0),
  });
  const { hashes, links, unreadable } = result;
  const before = store.near.scan();
  const hashOf = new Map(snapshot.images.map(({ id, hash }) => [id, hash]));
  store.near.replace(
    {
      descriptor: by,
      floor,
      threshold: before?.descriptor === by ? Math.max(floor, before.threshold) : threshold,
      unreadable: unreadable.length,
      seconds: (performance.now() - started) / 1000,
      createdAt: new Date().toISOString(),
    },
    // What cannot be read was looked at, too, and is not asked for again and again.
    [...hashes, ...unreadable.map(({ imageId }) => hashOf.get(imageId)!)],
    links.map(([a, b, cosine]) => ({ a: hashes[a], b: hashes[b], cosine })),
  );
  const { groups, leaks, conflicts } = findNear(store)!;
  return {
    by,
    pictures: hashes.length,
    groups: groups.length,
    leaks,
    conflicts,
    unreadable: unreadable.map(({ imageId, reason }) => ({ image: imageId, reason })),
  };
}

/** What the last look came to, with the images that are usable now; null before the first one. */
export function nearReport(store: ProjectStore): NearReport | null {
  const scan = store.near.scan();
  const found = findNear(store);
  if (!scan || !found) return null;
  const { descriptor: by, unreadable, createdAt, ...rest } = scan;
  const { groups, ...counts } = found;
  const { seen, unseen } = store.near.counts();
  return {
    ...rest,
    by,
    lookedAt: createdAt,
    pictures: seen - unreadable,
    unreadable,
    unseen,
    groups: groups.length,
    ...counts,
  };
}

/**
 * Say from which cosine on pictures count as near-duplicates.
 * @throws UserError 'empty' before the first look; 'usage' below what was kept, or over 1
 */
export function setNearThreshold(store: ProjectStore, threshold: number): void {
  const { floor } = requireScan(store);
  if (threshold < floor || threshold > 1) {
    throw new UserError('usage', `The threshold must be from ${floor} to 1: more distant pairs were not kept.`);
  }
  store.near.setThreshold(threshold);
}

/** The last look. @throws UserError 'empty' before the first one */
export function requireScan(store: ProjectStore): NonNullable<ReturnType<ProjectStore['near']['scan']>> {
  const scan = store.near.scan();
  if (scan) return scan;
  throw new UserError('empty', 'Near-duplicates were not looked for yet: run `contexture near-duplicates --find`.');
}
