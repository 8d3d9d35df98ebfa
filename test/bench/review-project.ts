/** A project to review: pictures of a side, each with a found context. */
import { join } from 'node:path';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';

/**
 * @param folder empty; the project file and its pictures come into it
 * @param counts pictures by the length of their sides, pixels
 * @returns the project file
 */
export async function makeReviewProject(folder: string, counts: Readonly<Record<number, number>>): Promise<string> {
  const root = join(folder, 'pictures');
  const pictures = Object.entries(counts).flatMap(([side, count]) =>
    classOf(`train/${side}`, count, { width: Number(side), height: Number(side) }, Number(side)),
  );
  for (const picture of pictures) await writePicture(root, picture);
  const file = join(folder, 'review.contexture');
  const project = await makeProject(file, root, pictures);
  await findSome(
    project,
    Array.from(project.store.images.iterate(), ({ id }) => id),
  );
  project.close();
  return file;
}
