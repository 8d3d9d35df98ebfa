/** Where things lie: in a clone of the sources, or in a package, where everything but the shell is unpacked beside it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod/mini';

export interface Places {
  /** Program of the Node that runs the service and its jobs. */
  readonly node: string;
  /** The folder with core/, db/, out/page/ and node_modules/. */
  readonly root: string;
  /** Variables that the service needs to find the engine. */
  readonly env: Readonly<Record<string, string>>;
  /** What a person can read. */
  readonly documentation: string;
  readonly licences: string;
}

/** What set-up and the build of a package record of an engine; core/engine/install.ts reads the same. */
const EngineFile = z.looseObject({
  pack: z.string(),
  folder: z.string(),
  binding: z.string(),
  node: z.string(),
});

/**
 * In a clone: set-up has written which Node to use.
 * @param appPath out/electron
 * @throws Error with one sentence when set-up has not been run
 */
export function placesInClone(appPath: string): Places {
  const root = join(appPath, '..', '..');
  const engine = readEngine(join(root, '.cache', 'engine.json'));
  if (engine === undefined) throw new Error(`Contexture is not set up in ${root}: run "npm run setup".`);
  return {
    node: engine.node,
    root,
    env: {},
    documentation: join(root, 'README.md'),
    licences: join(root, 'out', 'licences.txt'),
  };
}

/**
 * In a package: the engine lies beside the app, at a place that can differ at each start (an AppImage is mounted
 * somewhere), so where it is now is written down for the service each time, unless a person has chosen the GPU's.
 * @param resources the package's folder of resources
 * @param data the user's folder for the app
 * @throws Error with one sentence when the package is not whole
 */
export function placesInPackage(resources: string, data: string): Places {
  const folder = join(resources, 'engine');
  const packaged = readEngine(join(folder, 'engine.json'));
  if (packaged === undefined) throw new Error(`A part of Contexture is missing from ${folder}: install it again.`);
  const node = join(resources, packaged.node);
  const file = join(data, 'engine.json');
  if (readEngine(file)?.pack !== 'gpu') {
    const engine = {
      ...packaged,
      folder: join(folder, packaged.folder),
      binding: join(folder, packaged.binding),
      node,
    };
    mkdirSync(data, { recursive: true });
    writeFileSync(file, `${JSON.stringify(engine, null, 2)}\n`);
  }
  return {
    node,
    root: join(resources, 'contexture'),
    env: { CONTEXTURE_ENGINE: file },
    documentation: join(resources, 'README.md'),
    licences: join(resources, 'licences.txt'),
  };
}

function readEngine(file: string): z.infer<typeof EngineFile> | undefined {
  try {
    return EngineFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
