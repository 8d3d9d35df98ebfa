/** The page's address. All that is shown comes from this one origin. */

/** A scheme of our own: nothing on the network answers for it. */
export const SCHEME = 'contexture';

/** The host of every address; a scheme with hosts has origins, which storage and rules of the browser need. */
export const HOST = 'app';

/** The first page. */
export const HOME = `${SCHEME}://${HOST}/`;

/** Whether an address is the page's own; compared by its parsed parts, never by how it begins. */
export function isOwnAddress(address: string): boolean {
  try {
    const { protocol, host } = new URL(address);
    return protocol === `${SCHEME}:` && host === HOST;
  } catch {
    return false;
  }
}
