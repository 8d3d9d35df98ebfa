/** The tabs of the page, in order. */
import type { Component } from 'svelte';
import Backgrounds from './backgrounds/Backgrounds.svelte';
import BankContexts from './contexts/BankContexts.svelte';
import Diversity from './diversity/Diversity.svelte';
import Leftover from './leftover/Leftover.svelte';
import SwapPreview from './swap/SwapPreview.svelte';

export interface BankTab {
  /** In the address, as `?tab=`. */
  value: string;
  label: string;
  /** The command line that does the same. */
  command: string;
  view: Component;
}

export const TABS: readonly BankTab[] = [
  {
    value: 'contexts',
    label: 'Contexts',
    command: 'contexture bank list --state accepted --no-retired',
    view: BankContexts,
  },
  { value: 'backgrounds', label: 'Backgrounds', command: 'contexture bank backgrounds', view: Backgrounds },
  { value: 'diversity', label: 'Diversity', command: 'contexture bank diversity', view: Diversity },
  { value: 'swap', label: 'Swap preview', command: 'contexture bank swap IMAGE', view: SwapPreview },
  { value: 'leftover', label: 'Leftover check', command: 'contexture bank leftover --check', view: Leftover },
];
