/** Something that a person asks for in a dialog: whether it is under way, and why it failed. */
import { errorText } from './api.ts';

export class Attempt {
  busy = $state(false);
  /** Why the last try failed, in a sentence. */
  error: string | undefined = $state();

  /** Try it; a failure is kept in `error`, not thrown. @param work what is done, and what follows when it went well */
  async make(work: () => unknown): Promise<void> {
    this.busy = true;
    this.error = undefined;
    try {
      await work();
    } catch (thrown) {
      this.error = errorText(thrown);
    } finally {
      this.busy = false;
    }
  }
}
