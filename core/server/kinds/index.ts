/** All kinds of tasks: the type says that none is missing. */
import type { TaskKind } from '../../api/tasks.ts';
import type { AnyTaskKind } from '../task-kind.ts';
import { doctorKind } from './doctor.ts';
import { importKind } from './import.ts';
import { sampleKind } from './sample.ts';

export const KINDS: Readonly<Record<TaskKind, AnyTaskKind>> = {
  sample: sampleKind,
  import: importKind,
  doctor: doctorKind,
};
