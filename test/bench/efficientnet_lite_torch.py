"""EfficientNet-Lite0 and Lite2 in PyTorch, by the names of their published weights; for comparisons with ours.

`python efficientnet_lite_torch.py KIND WEIGHTS.pth PICTURES.f32 SIZE OUT` runs normalised pictures [N, SIZE, SIZE, 3]
through it in evaluation mode and writes, each as a file of float32: OUT/logits, and for the gradient of mean cross
entropy with labels 0, 1, 2, ... OUT/NAME of every parameter, in PyTorch's layouts.
"""
import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

#         blocks size stride expand channels
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320)]
MODELS = {'efficientnet-lite0': (1.0, 1.0), 'efficientnet-lite2': (1.1, 1.2)}


def widened(channels, width):
    rounded = max(8, int(channels * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels * width else rounded


class Convolution(nn.Conv2d):
    """TensorFlow's SAME: the odd zero pixel on the far side."""

    def __init__(self, inputs, out, size, stride=1, groups=1):
        super().__init__(inputs, out, size, stride, groups=groups, bias=False)

    def forward(self, x):
        sides = []
        for length in (x.shape[3], x.shape[2]):
            missing = max(0, (-(-length // self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0] - length)
            sides += [missing // 2, missing - missing // 2]
        if sides[0] == sides[1] and sides[2] == sides[3]:
            return F.conv2d(x, self.weight, None, self.stride, (sides[2], sides[0]), 1, self.groups)
        return super().forward(F.pad(x, sides))


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    def __init__(self, inputs, out, size, stride, expand):
        super().__init__()
        inside = inputs * expand
        self.expand, self.add = expand, inputs == out and stride == 1
        if expand > 1:
            self._expand_conv, self._bn0 = Convolution(inputs, inside, 1), norm(inside)
        self._depthwise_conv, self._bn1 = Convolution(inside, inside, size, stride, inside), norm(inside)
        self._project_conv, self._bn2 = Convolution(inside, out, 1), norm(out)

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expand > 1 else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.add else y


class EfficientNetLite(nn.Module):
    def __init__(self, kind, classes=1000):
        super().__init__()
        width, depth = MODELS[kind]
        self._conv_stem, self._bn0 = Convolution(3, 32, 3, 2), norm(32)
        blocks, channels = [], 32
        for i, (count, size, stride, expand, out) in enumerate(STAGES):
            count = count if i in (0, len(STAGES) - 1) else math.ceil(count * depth)
            for at in range(count):
                blocks.append(Block(channels, widened(out, width), size, stride if at == 0 else 1, expand))
                channels = widened(out, width)
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = Convolution(channels, 1280, 1), norm(1280)
        self._fc = nn.Linear(1280, classes)

    def features(self, x):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x)))

    def forward(self, x):
        return self._fc(self.features(x).mean((2, 3)))


def main():
    import pathlib

    import numpy

    kind, weights, pictures, size, out = sys.argv[1:]
    model = EfficientNetLite(kind).eval()
    model.load_state_dict(torch.load(weights, weights_only=True, map_location='cpu'))
    x = torch.from_numpy(numpy.fromfile(pictures, 'float32').reshape(-1, int(size), int(size), 3)).permute(0, 3, 1, 2)
    logits = model(x)
    F.cross_entropy(logits, torch.arange(len(x))).backward()
    folder = pathlib.Path(out)
    logits.detach().numpy().tofile(folder / 'logits')
    for name, parameter in model.named_parameters():
        parameter.grad.contiguous().numpy().tofile(folder / name)


if __name__ == '__main__':
    main()
