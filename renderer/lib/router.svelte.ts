/** Where the page is. Addresses are real paths, so that back, forward, reload and bookmarks work. */
import { parseRoute, routeAddress, type Route, type RouteTarget } from './routes.ts';

/** Asked before the page is left. @returns whether it may be */
export type Guard = (next: Route) => boolean | Promise<boolean>;

class Router {
  route: Route = $state.raw(parseRoute(location.pathname, location.search));
  readonly #guards = new Set<Guard>();
  /** Place in the history, to undo a step back that a guard refused. */
  #index = 0;
  #restoring = false;

  /** Follow the address bar and links. Called once. */
  start(): void {
    history.replaceState({ index: 0 }, '');
    addEventListener('popstate', (event) => void this.#popped(event));
    document.addEventListener('click', (event) => this.#clicked(event));
  }

  /**
   * Go to another page, unless a guard objects.
   * @param options.replace put it in place of the present entry of the history: for filters and other small steps
   * @returns whether it went
   */
  async go(target: RouteTarget | string, { replace = false } = {}): Promise<boolean> {
    const address = typeof target === 'string' ? target : routeAddress(target);
    const { pathname, search } = new URL(address, location.href);
    const next = parseRoute(pathname, search);
    if (!(await this.#mayGo(next))) return false;
    if (replace) history.replaceState({ index: this.#index }, '', address);
    else history.pushState({ index: ++this.#index }, '', address);
    this.route = next;
    return true;
  }

  /** Change values of the query string in place; undefined takes one away. Asks no guard. */
  setQuery(values: Record<string, string | number | boolean | undefined>): void {
    const { project, page, rest, query } = this.route;
    const address = routeAddress({ project, page, rest, query: { ...query, ...values } });
    history.replaceState({ index: this.#index }, '', address);
    this.route = parseRoute(location.pathname, location.search);
  }

  /** Ask before the page is left, as long as the component is shown. Call it while the component is being made. */
  guard(guard: Guard): void {
    $effect(() => {
      this.#guards.add(guard);
      return () => this.#guards.delete(guard);
    });
  }

  async #mayGo(next: Route): Promise<boolean> {
    for (const guard of this.#guards) if (!(await guard(next))) return false;
    return true;
  }

  async #popped({ state }: PopStateEvent): Promise<void> {
    const index: number = state?.index ?? 0;
    if (this.#restoring) {
      this.#restoring = false;
      return;
    }
    const next = parseRoute(location.pathname, location.search);
    if (await this.#mayGo(next)) {
      this.#index = index;
      this.route = next;
    } else {
      this.#restoring = true;
      history.go(this.#index - index);
    }
  }

  /** A plain click on a link of ours goes without loading the page again. */
  #clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hasAttribute('download')) return;
    const href = link.getAttribute('href');
    if (href === null || !href.startsWith('/') || href.startsWith('/api/')) return;
    event.preventDefault();
    void this.go(href);
  }
}

export const router = new Router();

/** Address of a page, for `href`. */
export const href = routeAddress;
