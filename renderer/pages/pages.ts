/** The pages of the side bar, in its order. Each is loaded when it is first shown. */
import Brush from '@lucide/svelte/icons/brush';
import ChartLine from '@lucide/svelte/icons/chart-line';
import FolderInput from '@lucide/svelte/icons/folder-input';
import Images from '@lucide/svelte/icons/images';
import LibraryBig from '@lucide/svelte/icons/library-big';
import PackageOpen from '@lucide/svelte/icons/package-open';
import Play from '@lucide/svelte/icons/play';
import Scan from '@lucide/svelte/icons/scan';
import SettingsIcon from '@lucide/svelte/icons/settings';
import Vault from '@lucide/svelte/icons/vault';
import type { Component } from 'svelte';

export interface PageEntry {
  /** In the address. */
  name: string;
  title: string;
  icon: Component;
  /** Shown inside a project only. */
  inProject: boolean;
  /** Key that goes there. */
  key: string;
  load: () => Promise<{ default: Component }>;
}

export const PAGES: readonly PageEntry[] = [
  {
    name: 'library',
    title: 'Library',
    icon: LibraryBig,
    inProject: false,
    key: 'Mod+1',
    load: () => import('./library/Library.svelte'),
  },
  {
    name: 'import',
    title: 'Import',
    icon: FolderInput,
    inProject: true,
    key: 'Mod+2',
    load: () => import('./import/Import.svelte'),
  },
  {
    name: 'explore',
    title: 'Explore',
    icon: Images,
    inProject: true,
    key: 'Mod+3',
    load: () => import('./explore/Explore.svelte'),
  },
  {
    name: 'contexts',
    title: 'Contexts',
    icon: Scan,
    inProject: true,
    key: 'Mod+4',
    load: () => import('./contexts/Contexts.svelte'),
  },
  {
    name: 'review',
    title: 'Review',
    icon: Brush,
    inProject: true,
    key: 'Mod+5',
    load: () => import('./review/Review.svelte'),
  },
  {
    name: 'bank',
    title: 'Bank',
    icon: Vault,
    inProject: true,
    key: 'Mod+6',
    load: () => import('./bank/Bank.svelte'),
  },
  {
    name: 'train',
    title: 'Train',
    icon: Play,
    inProject: true,
    key: 'Mod+7',
    load: () => import('./train/Train.svelte'),
  },
  {
    name: 'runs',
    title: 'Runs',
    icon: ChartLine,
    inProject: true,
    key: 'Mod+8',
    load: () => import('./runs/Runs.svelte'),
  },
  {
    name: 'export',
    title: 'Export',
    icon: PackageOpen,
    inProject: true,
    key: 'Mod+9',
    load: () => import('./export/Export.svelte'),
  },
  {
    name: 'settings',
    title: 'Settings',
    icon: SettingsIcon,
    inProject: false,
    key: 'Mod+,',
    load: () => import('./settings/Settings.svelte'),
  },
];
