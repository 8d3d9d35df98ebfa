"""Times fine-tuning of EfficientNet-Lite0 in PyTorch on random pictures that lie ready:

    finetune_torch.py PACK.safetensors '{"part":"last","batch":32,"steps":10,"threads":2,"classes":10,"channels_last":true}'

PACK is ours: the same weights, kernels turned to PyTorch's layout. Prints pictures a second, and of `frozen` the mean of all features, as
one JSON line.
"""
import json, re, struct, sys, time
import numpy as np, torch
from torch.nn import functional as F
from efficientnet_lite_torch import STAGES, EfficientNetLite

spec = json.loads(sys.argv[2])
torch.set_num_threads(spec['threads'])
batch, part = spec['batch'], spec['part']


def pack(path):
    """Tensors of a safetensors file, by name."""
    raw = open(path, 'rb').read()
    (length,) = struct.unpack('<Q', raw[:8])
    header = json.loads(raw[8:8 + length])
    header.pop('__metadata__')
    for name, entry in header.items():
        first, last = entry['data_offsets']
        yield name, np.frombuffer(raw[8 + length + first:8 + length + last], '<f4').reshape(entry['shape'])


def their_name(name):
    """stage2.block1.expand.conv.weight -> _blocks.1._expand_conv.weight"""
    name = re.sub(r'^stage(\d+)\.block(\d+)\.', lambda found: '_blocks.%d.' % (
        sum(count for count, *_ in STAGES[:int(found[1]) - 1]) + int(found[2]) - 1), name)
    for ours, theirs in (('stem.conv', '_conv_stem'), ('stem.bn', '_bn0'), ('last.conv', '_conv_head'), ('last.bn', '_bn1'),
                         ('expand.conv', '_expand_conv'), ('expand.bn', '_bn0'), ('depthwise.conv', '_depthwise_conv'),
                         ('depthwise.bn', '_bn1'), ('project.conv', '_project_conv'), ('project.bn', '_bn2')):
        name = name.replace(ours + '.', theirs + '.')
    return name


def turned(name, values):
    if values.ndim < 4:
        return values
    return values.transpose((2, 3, 0, 1) if 'depthwise' in name else (3, 2, 0, 1))


model = EfficientNetLite('efficientnet-lite0', spec['classes'])
state = {their_name(name): torch.from_numpy(turned(name, values).copy())
         for name, values in pack(sys.argv[1]) if not name.startswith('classifier')}
missing, unexpected = model.load_state_dict(state, strict=False)
assert not unexpected and all('_fc' in name or 'num_batches' in name for name in missing), (missing, unexpected)
layout = torch.channels_last if spec['channels_last'] else torch.contiguous_format
model = model.to(memory_format=layout)
if part == 'frozen':
    # Ours looks at these pictures too.
    noise = (np.arange(batch * 224 * 224 * 3, dtype=np.uint32) * np.uint32(2654435761)) >> 24
    x = torch.from_numpy((noise.astype('f4').reshape(batch, 224, 224, 3) - 127) / 128).permute(0, 3, 1, 2)
else:
    x = torch.randn(batch, 3, 224, 224)
x = x.contiguous(memory_format=layout)
y = torch.randint(0, spec['classes'], (batch,))

# The last three stages: the blocks of the last two, and the last convolution.
last = sum(count for count, *_ in STAGES[-2:])
model.train(part == 'all')
model.requires_grad_(part == 'all')
if part == 'last':
    for module in (*model._blocks[-last:], model._conv_head, model._bn1, model._fc):
        module.requires_grad_(True)
backbone = [p for n, p in model.named_parameters() if p.requires_grad and not n.startswith('_fc')]
if part != 'frozen':
    optimiser = torch.optim.SGD([{'params': backbone, 'lr': 0.002}, {'params': list(model._fc.parameters())}], 0.02, 0.9,
                                weight_decay=5e-4)


def look():
    with torch.inference_mode():
        return model.features(x).mean((2, 3)).numpy().mean(dtype='f8')


def train():
    loss = F.cross_entropy(model(x), y)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return loss.item()


for step in range(-4, spec['steps']):
    if step == 0:
        started = time.perf_counter()
    result = look() if part == 'frozen' else train()
print(json.dumps({'rate': batch * spec['steps'] / (time.perf_counter() - started), 'feature': result}))
