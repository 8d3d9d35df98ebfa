/**
 * `node app-start-desktop.ts STARTS`, forked by app-start.ts: start the Electron app STARTS times after a first one and send
 * the moments of each, milliseconds since Electron's process began: `loaded`, the page's load event; `usable`, the first
 * screen answers, for which the service must. The first has new folders, the others use them again.
 */
import { launch, newFolders, skip } from '../electron/desktop.ts';

/** Milliseconds since the epoch at which the main process began, in a script of Electron. */
const began = (): number => process.getCreationTime()!;

async function start(folders: ReturnType<typeof newFolders>): Promise<Record<string, number>> {
  const desktop = await launch({ folders });
  await desktop.page.getByRole('button', { name: 'Make the sample' }).click({ trial: true });
  const usable = Date.now();
  const loaded = await desktop.page.evaluate<number>(
    `performance.timeOrigin + performance.getEntriesByType('navigation')[0].loadEventEnd`,
  );
  const origin = await desktop.app.evaluate(began);
  await desktop.quit();
  return { loaded: loaded - origin, usable: usable - origin };
}

if (skip === false) {
  const folders = newFolders();
  const starts = [];
  for (let i = 0; i <= Number(process.argv[2]); i++) starts.push(await start(folders));
  process.send!({ starts });
} else {
  process.send!({ reason: skip });
}
process.disconnect!();
