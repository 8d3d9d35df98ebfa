/** Where the window goes: where it was, if that can still be seen. */
import type { Bounds } from './stored.ts';

const DEFAULT = { width: 1280, height: 800 };

/** So much of the title bar must be on a display for a person to get hold of it, pixels. */
const SEEN_WIDTH = 120;
const TITLE_HEIGHT = 30;

/**
 * Bounds of the window.
 * @param saved as it was left, null when never
 * @param displays their work areas, the main one first
 */
export function windowPlace(saved: Bounds | null, displays: readonly Bounds[]): Partial<Bounds> {
  const display = saved && displays.find((area) => showsTitle(saved, area));
  if (saved && display) {
    return { ...saved, width: Math.min(saved.width, display.width), height: Math.min(saved.height, display.height) };
  }
  const [main] = displays;
  return { width: Math.min(DEFAULT.width, main.width), height: Math.min(DEFAULT.height, main.height) };
}

function showsTitle(window: Bounds, area: Bounds): boolean {
  const seen = Math.min(window.x + window.width, area.x + area.width) - Math.max(window.x, area.x);
  return seen >= SEEN_WIDTH && window.y >= area.y && window.y + TITLE_HEIGHT <= area.y + area.height;
}
