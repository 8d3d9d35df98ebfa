/** Where a new project goes. Pure, so that tests need no browser. */

/** Extension of project files. */
const EXTENSION = '.contexture';

/** A file name for a project's name: what file systems refuse becomes "-". */
export function projectFileName(name: string): string {
  const safe = name
    .trim()
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    .replace(/[\u0000-\u001f<>:"/\\|?*]+/g, '-')
    .replace(/[. ]+$/, '');
  return `${safe === '' ? 'project' : safe}${EXTENSION}`;
}

/** Join a folder and a name with the folder's kind of slash. */
export function joinPath(folder: string, name: string): string {
  const slash = folder.includes('\\') && !folder.startsWith('/') ? '\\' : '/';
  return folder.endsWith(slash) ? folder + name : folder + slash + name;
}

/** A project's name after the first thing that goes into it: "birds" for "/data/birds.zip". */
export function suggestedName(path: string): string {
  const parts = path.split(/[/\\]/).filter((part) => part !== '');
  return (parts.at(-1) ?? '').replace(/\.(zip|csv)$/i, '');
}
