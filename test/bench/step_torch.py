"""Times CE steps of the PyTorch peer's network: step_torch.py PEER.py '{"blocks":5,"batch":128,"steps":20,"threads":2}'."""
import json, sys, time
import torch, torch.nn as nn, torch.nn.functional as F

source, spec = open(sys.argv[1]).read(), json.loads(sys.argv[2])
peer = {'torch': torch, 'nn': nn, 'F': F, 'C': 10, 'a': type('a', (), {'blocks': spec['blocks']})}
exec(source[source.index('class Block'):source.index('net = Net()')], peer)
torch.set_num_threads(spec['threads'])
net = peer['Net']().to(memory_format=torch.channels_last)
opt = torch.optim.SGD(net.parameters(), 0.01, 0.9, weight_decay=2e-4)
x = torch.randn(spec['batch'], 3, 32, 32).contiguous(memory_format=torch.channels_last)
y = torch.randint(0, 10, (spec['batch'],))
for step in range(-3, spec['steps']):
    if step == 0:
        started = time.perf_counter()
    loss = F.cross_entropy(net.hu(net.pool(x)), y)
    opt.zero_grad(set_to_none=True); loss.backward(); opt.step(); loss.item()
print(json.dumps({'milliseconds': 1000 * (time.perf_counter() - started) / spec['steps']}))
