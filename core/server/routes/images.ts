import type { ImageDetails } from '../../api/images.ts';
import { UserError } from '../../base/errors.ts';
import { describeImages, findImages, imageFacts, savedViews, saveViews } from '../../services/images.ts';
import { requireImage } from '../../services/require.ts';
import type { ImageRecord } from '../../storage/records.ts';
import type { Access } from '../access.ts';
import { implement } from '../handlers.ts';
import type { ServedProject } from '../open-projects.ts';
import { packedIds, sheet } from '../sheet.ts';

/** Sizes that thumbnails are kept in, pixels: what is asked for is rounded up, so that the cache keeps few of each picture. */
const KEPT_SIZES = [64, 96, 128, 192, 256, 384, 512];

/** What a browser shows as it is, by `ImageRecord.format`. */
const SHOWN: Readonly<Record<string, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
};

/** Longer side of a picture that is converted to be shown whole, pixels. */
const LARGEST_CONVERTED = 8192;

export const imageRoutes = implement({
  'GET /api/projects/{project}/images/ids': ({ service, params, query }) => {
    const { store } = service.projects.get(params.project).project;
    return packedIds(findImages(store, query));
  },

  'POST /api/projects/{project}/images/details': ({ service, params, body }): ImageDetails[] =>
    describeImages(service.projects.get(params.project).project.store, body.ids),

  'GET /api/projects/{project}/images/{image}': ({ service, params }) =>
    imageFacts(service.projects.get(params.project).project.store, params.image),

  'GET /api/projects/{project}/images/{image}/picture': async ({ service, params, query, header }) => {
    const served = service.projects.get(params.project);
    const image = requireImage(served.project.store, params.image);
    const etag = `"${image.hash}-${query.size ?? 'whole'}"`;
    if (header('if-none-match') === etag) return new Response(null, { status: 304, headers: { etag } });
    const { bytes, media } = await picture(served, image, query.size, service.access);
    // The page may keep it and asks each time whether it is still that one.
    const headers = { 'content-type': media, 'cache-control': 'private, no-cache', etag };
    return new Response(bytes, { headers });
  },

  'POST /api/projects/{project}/thumbnails': async ({ service, params, body, signal }) => {
    const served = service.projects.get(params.project);
    const images = new Map(served.project.store.images.many(body.ids).map((image) => [image.id, image]));
    const thumbnails = body.ids.map(async (id) => {
      const image = images.get(id);
      return { id, bytes: image ? await thumbnail(served, image, body.size, service.access, signal) : null };
    });
    return sheet(await Promise.all(thumbnails));
  },

  'GET /api/projects/{project}/views': ({ service, params }) =>
    savedViews(service.projects.get(params.project).project.store),

  'PUT /api/projects/{project}/views': ({ service, params, body }) => {
    const { id, project } = service.projects.get(params.project);
    saveViews(project.store, body.views);
    service.hub.publish({ type: 'data', project: id, topics: ['settings'] });
    return savedViews(project.store);
  },
});

const reader =
  ({ files }: ServedProject, image: ImageRecord, access: Access) =>
  (): Promise<Buffer> =>
    files.read(image, (path) => access.check(path));

async function picture(
  served: ServedProject,
  image: ImageRecord,
  size: number | undefined,
  access: Access,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; media: string }> {
  const read = reader(served, image, access);
  const { thumbnails } = served;
  if (size === undefined && Object.hasOwn(SHOWN, image.format)) {
    return { bytes: Uint8Array.from(await thumbnails.original(image, read)), media: SHOWN[image.format] };
  }
  const kept = size !== undefined && size <= KEPT_SIZES.at(-1)!;
  const bytes = kept
    ? await thumbnails.get(image, read, { size: keptSize(size) })
    : await thumbnails.render(image, read, { size: size ?? LARGEST_CONVERTED });
  return { bytes: Uint8Array.from(bytes), media: 'image/webp' };
}

/** A thumbnail; null where there is none to be had, or nobody waits for it any more. */
async function thumbnail(
  served: ServedProject,
  image: ImageRecord,
  size: number,
  access: Access,
  signal: AbortSignal,
): Promise<Buffer | null> {
  const read = reader(served, image, access);
  try {
    return await served.thumbnails.get(
      image,
      () => {
        if (signal.aborted) throw new UserError('cancelled', 'The page does not wait for this thumbnail any more.');
        return read();
      },
      { size: keptSize(size) },
    );
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

const keptSize = (size: number): number => KEPT_SIZES.find((kept) => kept >= size) ?? KEPT_SIZES.at(-1)!;
