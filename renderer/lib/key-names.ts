/** Keys as text: "Mod+Shift+d", "?", "ArrowLeft". Mod is Ctrl, on a Mac Cmd. Pure, so that tests need no browser. */

/** What of a keyboard event says which key it is. */
export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** The name of a press. Shift is named for letters and named keys only: "?" is shifted already. */
export function keyName(press: KeyPress, mac: boolean): string {
  const parts: string[] = [];
  if (mac ? press.metaKey : press.ctrlKey) parts.push('Mod');
  if (mac && press.ctrlKey) parts.push('Ctrl');
  if (press.altKey) parts.push('Alt');
  const sign = press.key.length === 1;
  const letter = sign && press.key.toLowerCase() !== press.key.toUpperCase();
  if (press.shiftKey && (!sign || letter || press.key === ' ')) parts.push('Shift');
  parts.push(press.key === ' ' ? 'Space' : letter ? press.key.toLowerCase() : press.key);
  return parts.join('+');
}

const SHOWN: Readonly<Record<string, string>> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Delete: 'Del',
  PageUp: 'Page up',
  PageDown: 'Page down',
};
const MAC_SHOWN: Readonly<Record<string, string>> = { Mod: '⌘', Shift: '⇧', Alt: '⌥', Ctrl: '⌃' };

/** The parts of a key's name as they are printed on keys: ["Ctrl", "Shift", "D"]. */
export function shownKey(name: string, mac: boolean): string[] {
  // "Mod++" is Mod and "+".
  const parts = name.endsWith('++') ? [...name.slice(0, -2).split('+'), '+'] : name === '+' ? ['+'] : name.split('+');
  return parts.map((part) => {
    if (mac && MAC_SHOWN[part] !== undefined) return MAC_SHOWN[part];
    if (part === 'Mod') return 'Ctrl';
    return SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part);
  });
}
