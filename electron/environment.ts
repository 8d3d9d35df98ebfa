/**
 * The environment of the service: built from what it needs, not inherited. What tunes Electron, or a Node that a person
 * happens to have, must not reach it, nor the libraries that an AppImage puts first.
 */

/** Variables that pass: who and where the person is, how the system is reached, which devices may be used. */
const PASSED = [
  // Unix
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_DOCUMENTS_DIR',
  'XDG_PICTURES_DIR',
  'XDG_RUNTIME_DIR',
  'XDG_STATE_HOME',
  // Windows
  'APPDATA',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'NUMBER_OF_PROCESSORS',
  'PATHEXT',
  'PROGRAMDATA',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'USERNAME',
  'USERPROFILE',
  'WINDIR',
  // Devices
  'CUDA_DEVICE_ORDER',
  'CUDA_VISIBLE_DEVICES',
  'GLIBC_TUNABLES',
];

/** Families of variables that pass: our own settings and the locale. */
const PASSED_FAMILIES = ['CONTEXTURE_', 'LC_'];

/** @param own variables that the shell adds */
export function serviceEnvironment(
  env: NodeJS.ProcessEnv,
  own: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    // Windows knows Path and PATH as one.
    const upper = name.toUpperCase();
    const passes = PASSED.includes(upper) || PASSED_FAMILIES.some((family) => upper.startsWith(family));
    if (passes && value !== undefined) kept[name] = value;
  }
  return { ...kept, ...own };
}
