/** OpenCV, where it is needed: it takes half a second to load and 150 MB of memory. */
import { createRequire } from 'node:module';
import type * as OpenCv from '@techstark/opencv-js';

/** The module is told when it is ready; it is `then`able besides, so that a promise of it would never settle. */
type Loading = typeof OpenCv & { onRuntimeInitialized: () => void };

// Its loader takes over what this process fails of, and would print its own ten megabytes of source.
const uncaught = process.listeners('uncaughtException');
const unhandled = process.listeners('unhandledRejection');
export const cv: Loading = createRequire(import.meta.url)('@techstark/opencv-js');
for (const listener of process.listeners('uncaughtException')) {
  if (!uncaught.includes(listener)) process.off('uncaughtException', listener);
}
for (const listener of process.listeners('unhandledRejection')) {
  if (!unhandled.includes(listener)) process.off('unhandledRejection', listener);
}
if (!Object.hasOwn(cv, 'Mat')) {
  await new Promise<void>((resolve) => {
    cv.onRuntimeInitialized = resolve;
  });
}
