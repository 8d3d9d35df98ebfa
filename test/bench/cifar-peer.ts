/**
 * CIFAR10-LT (ratio 100), ResNet-32, learning rate 0.05: CE, control and CSA, ours in float32 and bfloat16 and the PyTorch
 * peer with the same settings, side by side.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PRECISIONS, type MethodName, type Precision } from '../../core/training/config.ts';
import type { Project } from '../../core/storage/project.ts';
import { train, withProject } from './project.ts';
import { unpack } from './packs.ts';
import { CSA_PEER, peerDevice, python } from './programs.ts';

const METHODS: readonly MethodName[] = ['ce', 'control', 'csa'];

/** Last line of the peer: share of the test images that are right by the uniform and the balanced head, %. */
interface PeerFinal {
  u: number;
  b: number;
}

/** What one run of each is trained with. */
interface Settings {
  method: MethodName;
  epochs: number;
  seed: number;
  threads: number;
}

/**
 * @param options.ce, options.control, options.csa 0 leaves that method out
 * @param options.float32, options.bfloat16, options.peer 0 leaves that side out
 * @param options.threads of each side
 */
export async function cifarPeer({
  epochs = 10,
  seeds = 2,
  firstSeed = 1,
  threads = 2,
  ...parts
}: Record<string, number> = {}): Promise<object> {
  const wanted = (part: string): boolean => parts[part] !== 0;
  const pack = unpack('cifar10-lt100');
  return withProject(pack, async (project) => {
    const rows: object[] = [];
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      for (const method of METHODS.filter(wanted)) {
        const settings: Settings = { method, epochs, seed, threads };
        const row: Record<string, number> = {};
        for (const precision of PRECISIONS.filter(wanted)) row[precision] = await ours(project, precision, settings);
        if (wanted('peer')) row.peer = await peer(pack, settings);
        rows.push({ method, seed, ...row });
        console.error(`${method}, seed ${seed}: ${JSON.stringify(row)}`);
      }
    }
    return { name: 'cifar-peer', epochs, rows };
  });
}

/** Top-1, %. */
async function ours(
  project: Project,
  precision: Precision,
  { method, epochs, seed, threads }: Settings,
): Promise<number> {
  const overrides = { seed, epochs, learningRate: 0.05, evaluateEvery: epochs, threads, precision };
  const { figures } = await train(project, { method, preset: 'quick', overrides });
  return 100 * figures.top1!.value;
}

/** Top-1, %. */
async function peer(pack: string, settings: Settings): Promise<number> {
  const parameters = Object.entries({ ...settings, lr: 0.05, device: peerDevice() });
  const { stdout } = await promisify(execFile)(python(), [
    CSA_PEER,
    pack,
    ...parameters.flatMap(([name, value]) => [`--${name}`, String(value)]),
  ]);
  const final = JSON.parse(stdout.trim().split('\n').at(-1)!) as PeerFinal;
  return settings.method === 'ce' ? final.u : final.b;
}
