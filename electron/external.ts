/** The only web pages that the shell opens, in the system's browser. */
import { shell } from 'electron/common';
import type { ExternalPage } from '../core/api/bridge.ts';

export const EXTERNAL_PAGES: Readonly<Record<ExternalPage, string>> = {
  method: 'https://arxiv.org/abs/2310.18236',
  'nvidia-driver': 'https://www.nvidia.com/drivers',
  wsl: 'https://learn.microsoft.com/windows/wsl/install',
};

export const openExternalPage = (page: ExternalPage): Promise<void> => shell.openExternal(EXTERNAL_PAGES[page]);
