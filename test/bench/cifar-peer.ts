/**
 * CIFAR10-LT (ratio 100), ResNet-32, learning rate 0.05: CE, control and CSA, ours and the PyTorch peer with the same
 * settings, side by side.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { train, withProject } from './project.ts';
import { unpack } from './packs.ts';
import { CSA_PEER, peerDevice, python } from './programs.ts';

const METHODS = ['ce', 'control', 'csa'] as const;

/** Last line of the peer. */
interface PeerFinal {
  u: number;
  b: number;
}

export async function cifarPeer({ epochs = 10, seeds = 2, firstSeed = 1 }): Promise<object> {
  const peerProgram = python();
  const pack = unpack('cifar10-lt100');
  return withProject(pack, async (project) => {
    const rows: { method: string; seed: number; ours: number; peer: number }[] = [];
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      for (const method of METHODS) {
        const overrides = { seed, epochs, learningRate: 0.05, evaluateEvery: epochs, threads: 2 };
        const { figures } = await train(project, { method, preset: 'quick', overrides });
        const ours = 100 * figures.top1!.value;
        const settings = { method, epochs, seed, lr: 0.05, threads: 2, device: peerDevice() };
        const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
        const { stdout } = await promisify(execFile)(peerProgram, [CSA_PEER, pack, ...parameters]);
        const final = JSON.parse(stdout.trim().split('\n').at(-1)!) as PeerFinal;
        const peer = method === 'ce' ? final.u : final.b;
        rows.push({ method, seed, ours, peer });
        console.error(`${method}, seed ${seed}: ours ${ours.toFixed(1)} %, peer ${peer.toFixed(1)} %`);
      }
    }
    return { name: 'cifar-peer', epochs, rows };
  });
}
