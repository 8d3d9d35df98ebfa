import { once } from 'node:events';
import { errorToData } from '../../base/errors.ts';
import { integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { examples } from '../help.ts';

export const addServe: AddCommand = (parent, cli) => {
  parent
    .command('serve')
    .description(
      'Serve the page of the app to a browser on this machine, until Ctrl-C. What is at work then is paused and goes on ' +
        'at the next start.',
    )
    .argument('[project...]', 'project files to open')
    .option('--port <number>', 'of 127.0.0.1 (default: any free one)', integer(1, 65_535))
    .option(
      '--root <folder>',
      'a folder whose pictures and projects the page may use; may be repeated (default: this folder)',
      (folder: string, before: string[] | undefined) => [...(before ?? []), folder],
    )
    .addHelpText(
      'after',
      examples(
        ['serve', 'for the pictures and projects below this folder'],
        ['serve --root ~/pictures --root ~/projects --port 8080', 'for those below two folders'],
      ),
    )
    .action((projects, { port, root }) =>
      cli.perform('serve', async (session) => {
        const { startService } = await import('../../server/serve.ts');
        // A defect in one request or task must not take the others with it.
        process.on('unhandledRejection', (reason) => session.log(errorToData(reason).stack ?? String(reason)));
        const running = await startService({
          storage: await session.storage(),
          runJob: session.runJob,
          loopback: { port: port ?? 0, roots: (root ?? ['.']).map((folder) => session.path(folder)) },
          log: (line) => session.log(line),
        });
        try {
          const { service, address } = running;
          for (const file of projects) {
            await service.openProject(service.access.check(session.path(file)), { create: false });
          }
          const { roots } = service.access;
          if (root === undefined) session.note(`No --root is given: the page may use what lies below ${roots[0]}.`);
          session.announce({ type: 'ready', address, roots }, `Contexture is at ${address} until Ctrl-C.`);
          if (!session.signal.aborted) await once(session.signal, 'abort');
          return { data: {}, text: '' };
        } finally {
          await running.close();
        }
      }),
    );
};
