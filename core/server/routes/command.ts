import { UserError } from '../../base/errors.ts';
import { implement, type HandlerContext } from '../handlers.ts';

export const commandRoutes = implement({
  'POST /api/command': ({ service, body, via, signal }) => {
    requirePrivate(via);
    return service.commands.run(body, signal);
  },

  'POST /api/command/{command}/cancel': ({ service, params, via }) => {
    requirePrivate(via);
    service.commands.cancel(params.command);
    return {};
  },
});

/** A command line may name any file of the user's: no browser gets to give one. */
function requirePrivate(via: HandlerContext['via']): void {
  if (via !== 'private') {
    throw new UserError('no-permission', 'Command lines are taken over the private socket only: use the command line.');
  }
}
