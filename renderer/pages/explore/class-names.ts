/** Finding classes by name. Pure. */

/** Classes whose name holds the text, upper and lower case alike; those that begin with it first, then in their order. */
export function matching<T extends { readonly name: string }>(classes: readonly T[], text: string): readonly T[] {
  const wanted = text.trim().toLocaleLowerCase();
  if (wanted === '') return classes;
  const found = classes.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  const begins = ({ name }: T): boolean => name.toLocaleLowerCase().startsWith(wanted);
  return [...found.filter(begins), ...found.filter((one) => !begins(one))];
}
