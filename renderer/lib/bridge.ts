/** The desktop shell's bridge; undefined in a browser. */
import type { Bridge } from '../../core/api/bridge.ts';

export const bridge: Bridge | undefined = window.contexture;

/** Whether the keys of this machine are a Mac's. */
export const isMac: boolean =
  (bridge?.platform ?? navigator.platform).toLowerCase().startsWith('mac') || bridge?.platform === 'darwin';
