/** What a menu holds; shared by Menu and ContextMenu. */
import type { Component } from 'svelte';

export interface MenuItem {
  label: string;
  icon?: Component;
  /** Key that does the same: see lib/key-names.ts. */
  key?: string;
  /** A few words below the label, such as why it cannot be chosen. */
  note?: string;
  checked?: boolean;
  disabled?: boolean;
  danger?: boolean;
  run: () => void;
}

/** Null is a line between groups. */
export type MenuEntry = MenuItem | null;
