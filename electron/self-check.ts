/** `--self-check`: whether what lies beside the shell is whole. Starts the service and, through it, a job of the engine. */
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod/mini';
import { ask } from './requests.ts';
import type { Service } from './service-process.ts';

/** How long each step may take, milliseconds; the engine's libraries are large and the disk may be cold. */
const LIMIT_MS = 180_000;
const POLL_MS = 500;

/** What the shell needs to know of the result. */
const DoctorResult = z.object({ report: z.object({ ok: z.boolean() }), lines: z.array(z.string()) });

/**
 * Ask the service what it is, and the doctor for five seconds of training.
 * @param service not started yet; stopped afterwards
 * @returns one line of JSON, and whether all is well
 */
export async function selfCheck(service: Service): Promise<{ line: string; ok: boolean }> {
  const start = Date.now();
  try {
    service.start();
    const { version, node } = await ask(service, 'GET /api/about', { timeoutMs: LIMIT_MS });
    const readyMs = Date.now() - start;
    const result = await doctor(service);
    return { ok: true, line: JSON.stringify({ ok: true, version, node, readyMs, doctor: result }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, line: JSON.stringify({ ok: false, message }) };
  } finally {
    await service.stop();
  }
}

/** The doctor's lines. @throws Error when something is wrong, or it did not come to an end */
async function doctor(service: Service): Promise<string[]> {
  const { id } = await ask(service, 'POST /api/doctor', { timeoutMs: LIMIT_MS });
  for (const start = Date.now(); Date.now() - start < LIMIT_MS; await wait(POLL_MS)) {
    const tasks = await ask(service, 'GET /api/tasks', { timeoutMs: LIMIT_MS });
    const task = tasks.find((one) => one.id === id);
    if (task?.state === 'done') {
      const { report, lines } = DoctorResult.parse(task.result);
      if (!report.ok) throw new Error(lines.join(' '));
      return lines;
    }
    if (task?.error) throw new Error(task.error.message);
  }
  throw new Error('The doctor did not come to an end.');
}
