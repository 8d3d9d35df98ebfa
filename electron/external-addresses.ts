/** The only web pages that the shell opens, in the system's browser. */
import type { ExternalPage } from '../core/api/bridge.ts';

export const EXTERNAL_ADDRESSES: Readonly<Record<ExternalPage, string>> = {
  method: 'https://arxiv.org/abs/2310.18236',
  'nvidia-driver': 'https://www.nvidia.com/drivers',
  wsl: 'https://learn.microsoft.com/windows/wsl/install',
};
