/** Who sends a message. */
import { isOwnAddress } from './address.ts';

/** What of a sender decides whether it is believed; a frame is null when it has gone meanwhile. */
export interface Sender {
  readonly sender: unknown;
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

/** Whether a message comes from the page itself: the top frame of our window, showing our address. */
export function isFromPage(event: Sender, page: unknown): boolean {
  const { sender, senderFrame } = event;
  return (
    page !== undefined &&
    sender === page &&
    senderFrame !== null &&
    senderFrame.parent === null &&
    isOwnAddress(senderFrame.url)
  );
}
