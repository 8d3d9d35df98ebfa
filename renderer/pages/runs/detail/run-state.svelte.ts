/** One run as its page shows it; which head and which part stand in the address. */
import { HEADS, type Head } from '../heads.ts';
import type { RunClasses, RunDetail } from '../../../../core/api/runs.ts';
import { call } from '../../../lib/api.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { router } from '../../../lib/router.svelte.ts';

export const PARTS = [
  'summary',
  'classes',
  'confusion',
  'images',
  'curves',
  'head-tail',
  'reliance',
  'model',
  'card',
] as const;
export type Part = (typeof PARTS)[number];

export class RunState {
  readonly project: string;
  readonly run: number;
  readonly detail: Resource<RunDetail>;
  readonly classes: Resource<RunClasses>;

  readonly part: Part = $derived(PARTS.find((part) => part === router.route.query.part) ?? 'summary');
  /** Heads that have figures. */
  readonly heads: readonly Head[] = $derived.by(() => {
    const found = this.detail.data?.heads;
    return found === undefined ? [] : HEADS.filter((head) => found[head] !== null);
  });
  /** The head that is looked at: of the address, else the one that the run is judged by. */
  readonly head: Head = $derived.by(() => {
    const asked = this.heads.find((head) => head === router.route.query.head);
    return asked ?? this.detail.data?.judgedBy ?? 'uniform';
  });

  /** Call it while the component is being made. */
  constructor(project: string, run: number) {
    this.project = project;
    this.run = run;
    const refresh = {
      topics: ['runs'] as const,
      project: () => project,
      when: ({ epochs }: { epochs: readonly { project: string; run: number }[] }) =>
        epochs.some((event) => event.project === project && event.run === run),
    };
    this.detail = resource(
      (signal) => call('GET /api/projects/{project}/runs/{run}', { params: { project, run }, signal }),
      refresh,
    );
    this.classes = resource((signal) => {
      const { measured } = this;
      if (!measured || (this.part !== 'classes' && this.part !== 'images' && this.part !== 'confusion')) return null;
      return call('GET /api/projects/{project}/runs/{run}/classes', {
        params: { project, run },
        query: { head: this.head },
        signal,
      });
    }, refresh);
  }

  /** There are figures. */
  readonly measured: boolean = $derived.by(() => (this.detail.data?.measured ?? null) !== null);
}
