"""Times steps of the PyTorch peer's network on random pictures that lie ready:

    step_torch.py PEER.py '{"method":"csa","blocks":5,"batch":128,"steps":20,"threads":2,"channels_last":true,
        "bfloat16":false,"device":"cpu"}'

The network is cut out of the peer; a CSA step does what its loop does, with every sample in the bank (delta 0).
"""
import json, sys, time
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

source, spec = open(sys.argv[1]).read(), json.loads(sys.argv[2])
batch, size, classes, delta = spec['batch'], 32, 10, 0.0
peer = {'torch': torch, 'nn': nn, 'F': F, 'C': classes, 'a': type('a', (), {'blocks': spec['blocks']})}
exec(source[source.index('class Block'):source.index('net = Net()')], peer)
torch.set_num_threads(spec['threads'])
device = spec['device']
# TensorFlow finds out by trial too which of cuDNN's algorithms is fastest.
torch.backends.cudnn.benchmark = True
layout = torch.channels_last if spec['channels_last'] else torch.contiguous_format
net = peer['Net']().to(device, memory_format=layout)
opt = torch.optim.SGD(net.parameters(), 0.01, 0.9, weight_decay=2e-4)
rng = np.random.default_rng(1)
pool = [(torch.randn(batch, 3, size, size).to(device).contiguous(memory_format=layout),
         torch.randint(0, classes, (batch,)).to(device)) for _ in range(4)]
bank_x = bank_m = None

def look(x, y):
    """Contexts of a batch into the bank, as csa_torch.py has it."""
    global bank_x, bank_m
    net.eval()
    with torch.no_grad():
        fm = net.f(x)
        pr = net.hu(fm.mean((2, 3))).softmax(1).gather(1, y[:, None])[:, 0]
        cam = F.relu((fm * net.hu.weight[y][:, :, None, None]).sum(1))
        lo, hi = cam.amin((1, 2), True), cam.amax((1, 2), True)
        cam = ((cam - lo) / (hi - lo + 1e-8))[:, None]
        cam = F.interpolate(cam, size=x.shape[2:], mode='bicubic', align_corners=False).clamp(0, 1)
        keep = pr >= delta
        nx, nm = x[keep], (1 - cam[keep]) ** 2
        bank_x = nx if bank_x is None else torch.cat([bank_x, nx])[-batch:]
        bank_m = nm if bank_m is None else torch.cat([bank_m, nm])[-batch:]
    net.train()

for step in range(-4, spec['steps']):
    if step == 0:
        started = time.perf_counter()
    x, y = pool[step % 4]
    loss_b = 0.0
    with torch.autocast(device, torch.bfloat16, enabled=spec['bfloat16']):
        if spec['method'] == 'csa':
            look(x, y)
            xb, yb = pool[(step + 1) % 4]
            drawn = torch.as_tensor(rng.permutation(len(bank_x))[:batch], device=device)
            w = float(rng.random()) * bank_m[drawn]
            xb = (w * bank_x[drawn] + (1 - w) * xb).contiguous(memory_format=layout)
            loss_b = F.cross_entropy(net.hb(net.pool(xb)), yb)
        loss = F.cross_entropy(net.hu(net.pool(x)), y) + loss_b
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    loss.item()
print(json.dumps({'milliseconds': 1000 * (time.perf_counter() - started) / spec['steps']}))
