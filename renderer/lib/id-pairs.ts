/** Contexts in order, and the image of each at the same place. */
export interface IdPairs {
  readonly contexts: Uint32Array;
  readonly images: Uint32Array;
}

export const NO_PAIRS: IdPairs = { contexts: new Uint32Array(), images: new Uint32Array() };

/** Take apart what the service packs. @param pairs context, image, context, image, … */
export function unpackPairs(pairs: Uint32Array): IdPairs {
  const contexts = new Uint32Array(pairs.length / 2);
  const images = new Uint32Array(pairs.length / 2);
  for (let i = 0; i < contexts.length; i++) {
    contexts[i] = pairs[2 * i];
    images[i] = pairs[2 * i + 1];
  }
  return { contexts, images };
}
