/** The real service in this process, on its private socket, and a caller that knows nothing but addresses. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Task } from '../../core/api/tasks.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { startService, type RunningService } from '../../core/server/serve.ts';
import { sqliteStorage } from '../../db/index.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

export interface Answer {
  status: number;
  media: string;
  bytes: Buffer;
  /** Parsed where it is JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects
  json: any;
}

export interface Caller {
  running: RunningService;
  log: string[];
  call: (method: string, path: string, body?: unknown) => Promise<Answer>;
  upload: (path: string, bytes: Uint8Array, method?: 'PUT' | 'POST') => Promise<Answer>;
  /** The task once it waits or works no more. */
  ended: (task: Task) => Promise<Task>;
}

/** Start the service with nothing known; it ends with the test file. */
export async function startCaller(): Promise<Caller> {
  process.env.CONTEXTURE_STATE = join(temporaryFolder(), 'state');
  const log: string[] = [];
  const running = await startService({ storage: sqliteStorage, runJob, log: (line) => log.push(line) });
  after(() => running.close());

  const send = (method: string, path: string, bytes?: Uint8Array, type?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${running.token}`,
        ...(type === undefined ? {} : { 'content-type': type }),
      };
      const sent = request({ socketPath: running.socket, method, path, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          const whole = Buffer.concat(parts);
          const media = response.headers['content-type'] ?? '';
          const json: unknown = media.startsWith('application/json') ? JSON.parse(whole.toString()) : undefined;
          resolve({ status: response.statusCode ?? 0, media, bytes: whole, json });
        });
      });
      sent.on('error', reject);
      sent.end(bytes);
    });
  const call: Caller['call'] = (method, path, body) =>
    body === undefined ? send(method, path) : send(method, path, Buffer.from(JSON.stringify(body)), 'application/json');
  return {
    running,
    log,
    call,
    upload: (path, bytes, method = 'PUT') => send(method, path, bytes, 'application/octet-stream'),
    ended: async ({ id }) => {
      for (;;) {
        const { json } = await call('GET', `/api/tasks/${encodeURIComponent(id)}`);
        if (json.state !== 'queued' && json.state !== 'running') return json as Task;
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
      }
    },
  };
}

/** That an answer refuses, by code and status, in a sentence. @returns the sentence */
export function refused({ status, json }: Answer, code: string, expected: number): string {
  assert.equal(json.error?.code, code, JSON.stringify(json));
  assert.equal(status, expected);
  assert.match(json.error.message, /[.]$/);
  return json.error.message;
}

/** Ids of a packed list. */
export function idsOf({ bytes }: Answer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(4 * index));
}

/** The files of a sheet by id; null for what cannot be shown. */
export function sheetOf({ bytes }: Answer): Map<number, Buffer | null> {
  const count = bytes.readUInt32LE(0);
  let at = 4 + 8 * count;
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const id = bytes.readUInt32LE(4 + 8 * index);
      const length = bytes.readUInt32LE(8 + 8 * index);
      at += length;
      return [id, length === 0 ? null : bytes.subarray(at - length, at)] as const;
    }),
  );
}
