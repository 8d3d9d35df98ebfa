/** Runs in the page's sandbox, in a world of its own, and gives the page `window.contexture`: named functions, nothing else. */
import { contextBridge, ipcRenderer, webUtils } from 'electron/renderer';
import type { Bridge, MenuCommand } from '../core/api/bridge.ts';
import { CHANNELS } from './channels.ts';

/** Be told what the shell sends on a channel; Electron's own event stays here. @returns stops it */
function listen(channel: string, listener: Parameters<typeof ipcRenderer.on>[1]): () => void {
  ipcRenderer.on(channel, listener);
  return () => void ipcRenderer.off(channel, listener);
}

const bridge: Bridge = {
  platform: process.platform,
  pathOf: (file) => webUtils.getPathForFile(file),
  chooseFolder: (title) => ipcRenderer.invoke(CHANNELS.chooseFolder, title),
  chooseFiles: (title, { extensions }) => ipcRenderer.invoke(CHANNELS.chooseFiles, title, extensions),
  chooseProject: () => ipcRenderer.invoke(CHANNELS.chooseProject),
  newProjectPath: (suggestedName) => ipcRenderer.invoke(CHANNELS.newProjectPath, suggestedName),
  reveal: (path) => ipcRenderer.invoke(CHANNELS.reveal, path),
  openExternal: (page) => ipcRenderer.invoke(CHANNELS.openExternal, page),
  setTitle: (text) => ipcRenderer.send(CHANNELS.setTitle, text),
  setProgress: (fraction) => ipcRenderer.send(CHANNELS.setProgress, fraction),
  setUnsaved: (strokes) => ipcRenderer.send(CHANNELS.setUnsaved, strokes),
  setRecent: (projects) => ipcRenderer.send(CHANNELS.setRecent, projects),
  onMenu: (listener) => listen(CHANNELS.menu, (_event, command: MenuCommand) => listener(command)),
  onOpen(listener) {
    const stop = listen(CHANNELS.open, (_event, paths: string[]) => listener(paths));
    ipcRenderer.send(CHANNELS.listening);
    return stop;
  },
};

contextBridge.exposeInMainWorld('contexture', bridge);
