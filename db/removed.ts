/** Images of sources that were taken out of the project: rows that no list and no count shows. */

/**
 * Holds for an image whose source is in the project. One look into a table that is nearly always empty, whatever is known
 * of the image.
 * @param imageId the column that has its id
 */
export const inProject = (imageId: string): string => `${imageId} NOT IN (SELECT imageId FROM removedImage)`;
