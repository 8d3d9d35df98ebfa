"""Trains torchvision's ResNet-18 on photographs from disk:

    photos_torch.py FOLDER '{"batch":64,"images":640,"threads":2,"workers":2,"channels_last":true,"device":"cpu"}'

prints images a second of training, and of the input alone, as one JSON line. The first steps are left out. Only Python
code of torchvision is used: where its compiled operators do not fit torch, the two that it insists on are declared.
"""
import json, sys, time
import torch, torch.nn.functional as F

try:
    import torchvision
except RuntimeError:
    library = torch.library.Library('torchvision', 'DEF')
    for name in ('nms', 'qnms'):
        library.define(f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    import torchvision
from torchvision import datasets, models, transforms as T

WARM_UP = 2


def batches(loader):
    while True:
        yield from loader


def main():
    spec = json.loads(sys.argv[2])
    torch.manual_seed(1)
    torch.set_num_threads(spec['threads'])
    device = spec['device']
    steps = -(-spec['images'] // spec['batch'])
    data = datasets.ImageFolder(sys.argv[1], T.Compose([
        T.RandomResizedCrop(128), T.RandomHorizontalFlip(), T.ColorJitter(.4, .4, .4, 0), T.ToTensor(),
        T.Normalize([.485, .456, .406], [.229, .224, .225]),
    ]))
    loader = torch.utils.data.DataLoader(
        data, spec['batch'], shuffle=True, num_workers=spec['workers'], drop_last=True, persistent_workers=True)
    source = batches(loader)
    for step in range(-WARM_UP, steps):
        if step == 0:
            started = time.perf_counter()
        next(source)
    alone = spec['batch'] * steps / (time.perf_counter() - started)

    layout = torch.channels_last if spec['channels_last'] else torch.contiguous_format
    net = models.resnet18(num_classes=len(data.classes)).to(device, memory_format=layout)
    optimiser = torch.optim.SGD(net.parameters(), 0.01, 0.9, weight_decay=2e-4)
    for step in range(-WARM_UP, steps):
        if step == 0:
            started = time.perf_counter()
        images, labels = next(source)
        loss = F.cross_entropy(net(images.to(device, memory_format=layout)), labels.to(device))
        optimiser.zero_grad(set_to_none=True); loss.backward(); optimiser.step(); loss.item()
    rate = spec['batch'] * steps / (time.perf_counter() - started)
    print(json.dumps({'imagesPerSecond': rate, 'input': alone}))


if __name__ == '__main__':
    main()
