import { engineState } from '../../services/engine-state.ts';
import { implement } from '../handlers.ts';

export const engineRoutes = implement({
  'GET /api/engine': ({ signal }) => engineState(signal),

  'POST /api/doctor': ({ service }) =>
    service.tasks.add(null, { kind: 'doctor', title: 'Try the engine', params: {}, command: 'contexture doctor' }),
});
