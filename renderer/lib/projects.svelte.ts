/** Projects: the list, and the one that the page is in. */
import type { OpenedProject, ProjectEntry } from '../../core/api/projects.ts';
import { ApiError, call, errorText } from './api.ts';
import { bridge } from './bridge.ts';
import { events } from './events.svelte.ts';
import { router } from './router.svelte.ts';

class Projects {
  /** Open or opened before, newest first; undefined until the service has answered. */
  list: readonly ProjectEntry[] | undefined = $state.raw();
  /** The project of the address, once it is open. */
  current: OpenedProject | undefined = $state.raw();
  /** Why the project of the address cannot be shown. */
  error: ApiError | undefined = $state.raw();

  #turn = 0;

  /** Follow the service and the address. Called once, inside the component that is always shown. */
  start(): void {
    $effect(() =>
      events.listen((batch) => {
        if (!batch.reset && !batch.projects) return;
        void this.reload();
        // Another page may have closed it, a new service has none open.
        const { project } = router.route;
        if (project !== null) void this.#enter(project);
      }),
    );
    $effect(() => {
      const { project } = router.route;
      if (project === null) this.error = undefined;
      else if (project !== this.current?.id) void this.#enter(project);
    });
    void this.reload();
  }

  async reload(): Promise<void> {
    try {
      const turn = ++this.#turn;
      const list = await call('GET /api/projects');
      // Answers may overtake each other; the last question counts.
      if (turn !== this.#turn) return;
      this.list = list;
      bridge?.setRecent(this.list.filter(({ missing }) => !missing).map(({ file, name }) => ({ file, name })));
    } catch {
      // The bar about the service says why; the next reset asks again.
    }
  }

  /**
   * Open a project file and go into it.
   * @param page where to go; where there is most to do when absent
   * @throws ApiError
   */
  async open(file: string, page = 'explore'): Promise<OpenedProject> {
    return this.#show(await call('POST /api/projects', { body: { file } }), page);
  }

  /** Make a project and go to its import page. @throws ApiError */
  async create(file: string, name: string): Promise<OpenedProject> {
    return this.#show(await call('POST /api/projects', { body: { file, name, create: true } }), 'import');
  }

  /** Close a project; its work is paused. Leaves its pages. @throws ApiError */
  async close(id: string): Promise<void> {
    if (router.route.project === id && !(await router.go({ page: 'library' }))) return;
    await call('POST /api/projects/{project}/close', { params: { project: id } });
    if (this.current?.id === id) this.current = undefined;
    await this.reload();
  }

  /** Take a project off the list; its file stays. @throws ApiError */
  async forget(file: string): Promise<void> {
    await call('POST /api/projects/forget', { body: { file } });
    await this.reload();
  }

  async #show(project: OpenedProject, page: string): Promise<OpenedProject> {
    this.current = project;
    this.error = undefined;
    await this.reload();
    await router.go({ project: project.id, page });
    return project;
  }

  /** Have the project of the address: ask for it, open its file again where the service does not have it open. */
  async #enter(id: string): Promise<void> {
    try {
      const project = await this.#find(id);
      if (router.route.project === id) {
        this.current = project;
        this.error = undefined;
      }
    } catch (error) {
      if (router.route.project !== id) return;
      const known = error instanceof ApiError ? error : new ApiError('defect', 0, errorText(error));
      // What is shown of it may stay while the service is away.
      if (known.code !== 'offline') this.current = undefined;
      this.error = known;
    }
  }

  async #find(id: string): Promise<OpenedProject> {
    try {
      return await call('GET /api/projects/{project}', { params: { project: id } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'not-found') throw error;
      const entry = (await call('GET /api/projects')).find((known) => known.id === id);
      if (entry === undefined) throw error;
      return call('POST /api/projects', { body: { file: entry.file } });
    }
  }
}

export const projects = new Projects();
