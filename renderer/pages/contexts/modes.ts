/** How contexts are shown, as the lists name it. */
import type { ViewMode } from './context-list.svelte.ts';

export const MODES: readonly { value: ViewMode; label: string; note: string }[] = [
  { value: 'outline', label: 'Outline', note: 'Border of the mask' },
  { value: 'overlay', label: 'Overlay', note: 'Context in colour' },
  { value: 'dimmed', label: 'Dimmed', note: 'Foreground dimmed' },
  { value: 'context', label: 'Context only', note: 'Foreground taken out' },
  { value: 'saliency', label: 'Saliency', note: 'What the model looked at' },
  { value: 'picture', label: 'Picture', note: 'Nothing over it' },
];
