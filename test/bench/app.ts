/**
 * The app as a person meets it, in Debian's Chromium against the real service. Each part is a file of its own and adds its
 * figures to the result.
 */
const PARTS: readonly (() => Promise<(options: Record<string, number>) => Promise<object>>)[] = [
  async () => (await import('./app-explore.ts')).exploreBench,
];

export async function appBench(options: Record<string, number>): Promise<object> {
  let result = {};
  for (const load of PARTS) result = { ...result, ...(await (await load())(options)) };
  return result;
}
