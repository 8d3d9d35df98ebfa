/** A command as a person types it. */

/**
 * Words as one line for a shell, quoted where they must be: for `sh`, and on Windows for PowerShell.
 * @param words the program and its arguments
 */
export function commandLine(words: readonly string[], platform: NodeJS.Platform = process.platform): string {
  const quote = platform === 'win32' ? "''" : String.raw`'\''`;
  return words
    .map((word) =>
      /^[\w@%+=:,./\\-]+$/.test(word) && !backslashed(word, platform) ? word : `'${word.replaceAll("'", quote)}'`,
    )
    .join(' ');
}

/** A backslash is a plain sign in PowerShell and none in `sh`. */
const backslashed = (word: string, platform: NodeJS.Platform): boolean => platform !== 'win32' && word.includes('\\');
