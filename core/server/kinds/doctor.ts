import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { doctorLines, runDoctor } from '../../services/doctor.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Finds out what this machine trains on, and proves it. Its result is a `DoctorReport` and the same in `lines`. */
export const doctorKind = taskKind({
  scope: 'app',
  lane: JOB_LANES.doctor,
  params: z.object({}),
  async perform({ service, signal, runJob, onEvent }) {
    const report = await runDoctor(runJob, onEvent, signal, { folder: service.projectFolder });
    return asJson({ report, lines: doctorLines(report) });
  },
});
