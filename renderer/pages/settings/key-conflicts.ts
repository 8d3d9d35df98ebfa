/** Which actions would fight over a key. Pure. */

export interface BoundAction {
  id: string;
  title: string;
  keys: readonly string[];
}

export interface BoundScope {
  title: string;
  /** It works on every page, so it meets the keys of all scopes. */
  everywhere: boolean;
  actions: readonly BoundAction[];
}

/** The action that has that key where the one to be changed works, and its scope; undefined when the key is free. */
export function conflictOf(
  scopes: readonly BoundScope[],
  changed: { scope: string; id: string },
  key: string,
): { scope: string; action: BoundAction } | undefined {
  const own = scopes.find(({ title }) => title === changed.scope);
  for (const scope of scopes) {
    if (scope !== own && !scope.everywhere && own?.everywhere !== true) continue;
    const action = scope.actions.find((one) => one.id !== changed.id && one.keys.includes(key));
    if (action !== undefined) return { scope: scope.title, action };
  }
  return undefined;
}
