/** Names of the messages between the page's bridge and the shell. */
export const CHANNELS = {
  chooseFolder: 'choose-folder',
  chooseFiles: 'choose-files',
  chooseProject: 'choose-project',
  newProjectPath: 'new-project-path',
  reveal: 'reveal',
  openExternal: 'open-external',
  setTitle: 'set-title',
  setProgress: 'set-progress',
  setUnsaved: 'set-unsaved',
  setRecent: 'set-recent',
  /** The page listens: what was opened before can be told. */
  listening: 'listening',
  /** From the shell to the page. */
  menu: 'menu',
  open: 'open',
} as const;
