/** Messages of the page: each is checked for who sends it and what it holds before anything is done. */
import { ipcMain, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron/main';
import { z } from 'zod/mini';
import { isFromPage, type Sender } from './sender.ts';

export class Messages {
  readonly #page: () => WebContents | undefined;
  readonly #log: (line: string) => void;

  /** @param page the window's content just now */
  constructor(page: () => WebContents | undefined, log: (line: string) => void) {
    this.#page = page;
    this.#log = log;
  }

  /** Answer a question of the page. @param schema of its arguments, a tuple */
  answer<Schema extends z.ZodMiniType<unknown[]>>(
    channel: string,
    schema: Schema,
    handler: (...values: z.infer<Schema>) => unknown,
  ): void {
    ipcMain.handle(channel, (event: IpcMainInvokeEvent, ...values: unknown[]) =>
      handler(...this.#checked(channel, event, schema, values)),
    );
  }

  /** Take a message that wants no answer. What is not allowed is dropped. */
  take<Schema extends z.ZodMiniType<unknown[]>>(
    channel: string,
    schema: Schema,
    handler: (...values: z.infer<Schema>) => void,
  ): void {
    ipcMain.on(channel, (event: IpcMainEvent, ...values: unknown[]) => {
      let checked: z.infer<Schema>;
      try {
        checked = this.#checked(channel, event, schema, values);
      } catch {
        return;
      }
      handler(...checked);
    });
  }

  #checked<Schema extends z.ZodMiniType<unknown[]>>(
    channel: string,
    event: Sender,
    schema: Schema,
    values: unknown[],
  ): z.infer<Schema> {
    const parsed = isFromPage(event, this.#page()) ? schema.safeParse(values) : undefined;
    if (parsed?.success) return parsed.data;
    this.#log(`refused: message ${channel}${parsed ? `, ${z.prettifyError(parsed.error)}` : ' from elsewhere'}`);
    throw new Error('The shell does not answer this.');
  }
}
