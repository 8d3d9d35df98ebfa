/**
 * Who may import what: the folders of the design, and a few packages with one owner. Reads every import of the sources,
 * static, dynamic, `require` and types alike.
 */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Expression, parseSync, Visitor } from 'oxc-parser';

/** One import of one file. */
export interface ImportUse {
  /** 1-based. */
  line: number;
  /** As written, null when it is computed at run time. */
  specifier: string | null;
  /** Only types: gone when the program runs. */
  typeOnly: boolean;
}

interface FolderRule {
  /** Top folders whose modules it may import. */
  readonly folders: readonly string[];
  /** Where it may import types from besides: paths from the root, folders end in "/". */
  readonly types: readonly string[];
  /** Whether it may use Node's own modules. The page runs in a browser. */
  readonly node: boolean;
  /** Built into one piece with its packages, so what it needs is installed by developers only. */
  readonly bundled?: boolean;
}

/** The table of the design. */
const FOLDERS: Readonly<Record<string, FolderRule>> = {
  core: { folders: ['core'], types: [], node: true },
  db: { folders: ['db', 'core'], types: [], node: true },
  electron: { folders: ['electron'], types: ['core/api/'], node: true },
  renderer: { folders: ['renderer'], types: ['core/api/'], node: false, bundled: true },
  build: { folders: ['build'], types: [], node: true },
  test: { folders: ['core', 'db', 'electron', 'renderer', 'build', 'test'], types: [], node: true },
};

/** Entries start things: they wire the database into core, which knows its interface only. */
const ENTRIES = ['core/cli/main.ts', 'core/server/main.ts'];

/**
 * Modules of core that only compute: the page runs them too, so that a mask comes out the same on both sides. At run time
 * they import one another and nothing else.
 */
const PURE = [
  'core/contexts/guided-filter.ts',
  'core/contexts/mask-morphology.ts',
  'core/contexts/mask.ts',
  'core/training/bicubic.ts',
  'core/training/warnings.ts',
];

/** Plain JavaScript that set-up shares with core. */
const SHARED_WITH_SETUP = ['core/base/pip.mjs', 'core/engine/gpu-support.mjs'];

/** Packages that only some places may load, and why. */
const OWNERS: Readonly<Record<string, { may: (file: string) => boolean; reason: string }>> = {
  '@tensorflow/tfjs-node-gpu': {
    may: (file) => file.startsWith('core/engine/') || file.endsWith('-job.ts'),
    reason: 'only core/engine and job modules load the native engine',
  },
  'better-sqlite3': {
    may: (file) => file.startsWith('db/') || file === 'core/engine/doctor.ts',
    reason: 'only db (and the doctor, who looks whether it loads) uses SQLite',
  },
  'onnxruntime-node': {
    may: (file) => file.startsWith('core/onnx/'),
    reason: 'only the check of an ONNX file runs a second engine',
  },
  '@techstark/opencv-js': {
    may: (file) => file === 'core/contexts/opencv.ts',
    reason: 'OpenCV takes 150 MB: it is loaded by one module, for a thread of its own',
  },
  electron: { may: (file) => file.startsWith('electron/'), reason: 'only electron/ runs inside Electron' },
};

/** Names a module when it runs: the table of jobs. */
const COMPUTED_IMPORTS = ['core/jobs/registry.ts'];

/** Packages by where package.json lists them. */
export interface Packages {
  dependencies: readonly string[];
  devDependencies: readonly string[];
}

/** Read the imports of a source text. @throws Error naming the file when it cannot be parsed */
export function readImports(file: string, text: string): ImportUse[] {
  if (file.endsWith('.svelte')) return scriptsOf(text).flatMap((script) => readImports(`${file}.ts`, script));
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0].message}`);
  const uses: ImportUse[] = [];
  const add = (node: { start: number }, source: Expression, typeOnly: boolean): void => {
    const line = text.slice(0, node.start).split('\n').length;
    const specifier = source.type === 'Literal' && typeof source.value === 'string' ? source.value : null;
    uses.push({ line, specifier, typeOnly });
  };
  new Visitor({
    ImportDeclaration(node) {
      const types = node.specifiers.filter((item) => item.type === 'ImportSpecifier' && item.importKind === 'type');
      const all = node.specifiers.length > 0 && types.length === node.specifiers.length;
      add(node, node.source, node.importKind === 'type' || all);
    },
    ExportAllDeclaration(node) {
      add(node, node.source, node.exportKind === 'type');
    },
    ExportNamedDeclaration(node) {
      if (node.source) add(node, node.source, node.exportKind === 'type');
    },
    ImportExpression(node) {
      add(node, node.source, false);
    },
    TSImportType(node) {
      add(node, node.source, true);
    },
    CallExpression(node) {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'require') return;
      // A computed `require` loads a native binding by its path; others are no imports but functions of that name.
      const [argument] = node.arguments;
      if (argument?.type === 'Literal' && typeof argument.value === 'string') add(node, argument, false);
    },
  }).visit(program);
  return uses;
}

/** The scripts of a component, each with empty lines before it so that its lines keep their numbers. */
function scriptsOf(component: string): string[] {
  return [...component.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map((found) => {
    const start = found.index + found[0].indexOf('>') + 1;
    return component.slice(0, start).replace(/[^\n]+/g, '') + found[1];
  });
}

/**
 * Why an import is not allowed, or undefined.
 * @param file path from the root, with "/"
 */
export function importProblem(file: string, use: ImportUse, packages: Packages): string | undefined {
  const folder = file.split('/')[0];
  const rule = FOLDERS[folder];
  if (rule === undefined) return `${folder}/ is no folder of ours`;
  const { specifier, typeOnly } = use;
  if (specifier === null) {
    const allowed = folder === 'test' || COMPUTED_IMPORTS.includes(file);
    return allowed ? undefined : 'names its module at run time, so nobody can check it';
  }
  if (PURE.includes(file) && !typeOnly && !PURE.includes(posix.join(posix.dirname(file), specifier))) {
    return 'runs in the page too: at run time it imports pure modules only';
  }
  if (specifier.startsWith('.')) return localProblem(file, rule, posix.join(posix.dirname(file), specifier), typeOnly);
  if (posix.isAbsolute(specifier) || specifier.includes(':\\')) return 'is an absolute path';
  if (isBuiltin(specifier)) return rule.node ? undefined : `${folder}/ runs in a browser, without Node`;
  return packageProblem(file, packageName(specifier), typeOnly, packages);
}

function localProblem(file: string, rule: FolderRule, target: string, typeOnly: boolean): string | undefined {
  const folder = file.split('/')[0];
  const targetFolder = target.split('/')[0];
  if (file.endsWith('.mjs') && !target.endsWith('.mjs'))
    return 'runs before set-up, under any Node: plain JavaScript only';
  if (rule.folders.includes(targetFolder)) return undefined;
  if (folder === 'renderer' && PURE.includes(target)) return undefined;
  if (targetFolder === 'db' && ENTRIES.includes(file)) return undefined;
  if (folder === 'build' && SHARED_WITH_SETUP.includes(target)) return undefined;
  if (rule.types.some((path) => target.startsWith(path))) {
    return typeOnly ? undefined : `${folder}/ may import types only from ${rule.types.join(', ')}`;
  }
  return `${folder}/ may not import from ${targetFolder === '..' ? 'outside the project' : `${targetFolder}/`}`;
}

function packageProblem(file: string, name: string, typeOnly: boolean, packages: Packages): string | undefined {
  const folder = file.split('/')[0];
  if (file.endsWith('.mjs')) return 'runs before set-up, when no package is installed';
  const owner = Object.hasOwn(OWNERS, name) ? OWNERS[name] : undefined;
  if (owner && folder !== 'test' && !owner.may(file)) return owner.reason;
  const listed = [...packages.dependencies];
  // What users run must not need what developers install; the shell and the page are bundled with what they import.
  const built = ['electron', 'renderer', 'build', 'test'].includes(folder);
  if (typeOnly || built) listed.push(...packages.devDependencies);
  return listed.includes(name) ? undefined : `package.json does not list ${name} for it`;
}

/** "@scope/name/path" -> "@scope/name" */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/**
 * Check source files.
 * @param root the project
 * @param files paths from `root`, with "/"
 * @returns one sentence a violation
 */
export function checkImports(root: string, files: readonly string[]): string[] {
  const manifest: Record<string, Record<string, string>> = JSON.parse(
    readFileSync(posix.join(root, 'package.json'), 'utf8'),
  );
  const packages: Packages = {
    dependencies: Object.keys(manifest.dependencies),
    devDependencies: Object.keys(manifest.devDependencies),
  };
  return files.flatMap((file) =>
    readImports(file, readFileSync(posix.join(root, file), 'utf8')).flatMap((use) => {
      const problem = importProblem(file, use, packages);
      return problem === undefined ? [] : [`${file}:${use.line} imports ${use.specifier ?? '(computed)'}: ${problem}`];
    }),
  );
}
