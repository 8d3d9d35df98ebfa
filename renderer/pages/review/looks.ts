/** How picture and mask are shown. Colours are told apart by every eye: strength and outline say it, not the hue alone. */
import { coloursOf, type Colours } from './canvas/paint-mask.ts';
import type { MaskLook } from './canvas/painter.ts';

export type ModeName = 'overlay' | 'outline' | 'heat' | 'context' | 'foreground' | 'trainer';

export const MODES: readonly { value: ModeName; label: string; note: string }[] = [
  {
    value: 'overlay',
    label: 'Overlay',
    note: 'In colour: the context, which is lent to other pictures. Erase what belongs to the object.',
  },
  { value: 'outline', label: 'Outline', note: 'The line is the border between context and object.' },
  { value: 'heat', label: 'Heat map', note: 'What the model looked at; the mask was made from it.' },
  { value: 'context', label: 'Context', note: 'The object is taken out: nothing of it should be left.' },
  { value: 'foreground', label: 'Foreground', note: 'The context is taken out: only the object should be left.' },
  { value: 'trainer', label: 'As trained', note: 'The mask at the size of the network.' },
];

const CONTEXT: readonly [number, number, number] = [230, 60, 170];

/** What lies over the picture. @param ground that hides what is taken out, red, green and blue */
export function lookOf(mode: ModeName, opacity: number, ground: readonly [number, number, number]): MaskLook {
  const cover = (alphaOf: (value: number) => number): Colours => coloursOf(ground, alphaOf);
  switch (mode) {
    case 'overlay':
      return { fill: coloursOf(CONTEXT, (value) => value * opacity), outline: false };
    case 'context':
      return { fill: cover((value) => 1 - value), outline: false };
    case 'foreground':
      return { fill: cover((value) => value), outline: false };
    case 'outline':
    case 'heat':
      return { fill: undefined, outline: true };
    case 'trainer':
      return { fill: undefined, outline: false };
  }
}
