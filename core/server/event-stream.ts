/** The hub's events as server-sent events. */
import type { EventHub } from './event-hub.ts';

/** Milliseconds between signs of life, unless a service is told otherwise. */
export const HEARTBEAT = 15_000;
/** Bytes that wait for a page that does not read; it is cut off then, and comes back for what it missed. */
const MOST_WAITING = 4 * 2 ** 20;

/**
 * @param lastId the last event that the page has seen
 * @param signal aborted when the page has gone
 * @param heartbeat milliseconds between signs of life
 */
export function eventStream(
  hub: EventHub,
  lastId: string | undefined,
  signal: AbortSignal,
  heartbeat: number,
): Response {
  const encoder = new TextEncoder();
  const stopped = new AbortController();
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string): void => {
          if (stopped.signal.aborted) return;
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) <= 0) end();
        };
        const end = (): void => {
          if (stopped.signal.aborted) return;
          stopped.abort();
          controller.close();
        };
        signal.addEventListener('abort', end, { once: true });
        const beat = setInterval(() => write(': here\n\n'), heartbeat);
        stopped.signal.addEventListener('abort', () => clearInterval(beat));
        // Comes back soon after the service was started again.
        write('retry: 1000\n\n');
        const unlisten = hub.listen(lastId, ({ text }) => write(text));
        stopped.signal.addEventListener('abort', unlisten);
        // The page may have gone by now.
        if (stopped.signal.aborted) unlisten();
        if (signal.aborted) end();
      },
      cancel: () => stopped.abort(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING }),
  );
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } });
}
