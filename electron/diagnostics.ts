/** One file for a report of a problem: versions, the doctor's word, what runs, the log. No pictures, no settings of a project. */
import { readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, homedir, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { shell } from 'electron/common';
import { app, type BrowserWindow, dialog } from 'electron/main';
import type { Task } from '../core/api/tasks.ts';
import type { Log } from './log.ts';
import { ask } from './requests.ts';
import type { Service } from './service-process.ts';

const TIMEOUT_MS = 5000;

/** Ask where to and write it. */
export async function saveDiagnostics(window: BrowserWindow, service: Service, log: Log): Promise<void> {
  const name = `contexture-diagnostics-${new Date().toISOString().slice(0, 10)}.txt`;
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    title: 'Save diagnostics',
    defaultPath: join(homedir(), name),
  });
  if (canceled || !filePath) return;
  try {
    await writeFile(filePath, await diagnostics(service, log));
    shell.showItemInFolder(filePath);
  } catch (error) {
    dialog.showErrorBox('The diagnostics were not saved', `${filePath} could not be written: ${String(error)}`);
  }
}

/** The whole text, with the person's own folder written as "~". */
export async function diagnostics(service: Service, log: Log): Promise<string> {
  const tasks = await ask(service, 'GET /api/tasks', { timeoutMs: TIMEOUT_MS }).catch(String);
  const parts = [
    ['This file', 'Look through it before you pass it on: it holds names of folders, no pictures.'],
    ['Versions', versions()],
    ['Service', JSON.stringify(await ask(service, 'GET /api/about', { timeoutMs: TIMEOUT_MS }).catch(String), null, 2)],
    ['Doctor', doctorWord(tasks)],
    ['Tasks', typeof tasks === 'string' ? tasks : tasks.map(taskLine).join('\n')],
    ['Log before', await textOf(log.previous)],
    ['Log', await textOf(log.file)],
  ];
  const text = parts.map(([title, content]) => `== ${title}\n${content}\n`).join('\n');
  return text.replaceAll(homedir(), '~');
}

function versions(): string {
  const { electron, chrome, node } = process.versions;
  const processors = cpus();
  return [
    `Contexture ${app.getVersion()}${app.isPackaged ? '' : ' (from sources)'}`,
    `Electron ${electron}, Chromium ${chrome}, its Node ${node}`,
    `${type()} ${release()} ${arch()}`,
    `${processors.length} x ${processors[0]?.model ?? 'unknown'}, ${(totalmem() / 1e9).toFixed(1)} GB of memory`,
  ].join('\n');
}

/** What the doctor said last. */
function doctorWord(tasks: Task[] | string): string {
  const last = typeof tasks === 'string' ? undefined : tasks.findLast((task) => task.kind === 'doctor');
  return last ? JSON.stringify(last.result ?? last.error, null, 2) : 'Not asked since the service was started.';
}

/** Without its title, which names the person's data. */
const taskLine = ({ kind, state, error }: Task): string => `${kind}: ${state}${error ? `, ${error.code}` : ''}`;

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return '(none)';
  }
}
