/** Commands as a person types them; pure. The service quotes those of tasks, the page those that it only shows. */

/** Words as one line for a shell, quoted where they must be. */
export function commandText(...words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`)).join(' ');
}
