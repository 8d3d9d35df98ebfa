/** The draft of a context at the service. */
import type { DraftState } from '../../../core/api/review.ts';
import { ApiError, call, errorText } from '../../lib/api.ts';
import { blobOfBase64, deflate, inflate } from './canvas/codec.ts';
import type { Change, DraftGateway, Failure, Whole } from './draft-gateway.ts';

/** A draft with the size of its picture. */
export interface LoadedDraft extends Whole {
  readonly width: number;
  readonly height: number;
  /** Deflated values are all that follows. */
  readonly values: Uint8Array<ArrayBuffer>;
}

/** Bytes before the values: revision, width and height. */
const HEAD = 12;

/** @throws ApiError */
export async function loadDraft(project: string, context: number, signal?: AbortSignal): Promise<LoadedDraft> {
  const params = { project, context };
  const [response, { undo, redo }] = await Promise.all([
    call('GET /api/projects/{project}/contexts/{context}/draft/values', { params, signal }),
    call('GET /api/projects/{project}/contexts/{context}/draft', { params, signal }),
  ]);
  const bytes = await response.blob();
  const head = new DataView(await bytes.slice(0, HEAD).arrayBuffer());
  return {
    revision: head.getUint32(0, true),
    width: head.getUint32(4, true),
    height: head.getUint32(8, true),
    values: await inflate(bytes.slice(HEAD)),
    undo,
    redo,
  };
}

export function draftGateway(project: string, context: number): DraftGateway {
  const params = { project, context };
  const step = async (name: 'undo' | 'redo', revision: number): Promise<Change> =>
    changeOf(
      await call(`POST /api/projects/{project}/contexts/{context}/draft/${name}`, { params, body: { revision } }),
    );
  return {
    async stroke(revision, { tool, params: settings, stroke: { rect, after } }) {
      return call('POST /api/projects/{project}/contexts/{context}/draft/strokes', {
        params,
        query: { revision, tool, ...rect, params: JSON.stringify(settings) },
        upload: await deflate(after),
      });
    },
    undo: (revision) => step('undo', revision),
    redo: (revision) => step('redo', revision),
    async snap(revision, region) {
      return changeOf(
        await call('POST /api/projects/{project}/contexts/{context}/draft/snap', {
          params,
          body: { revision, region },
        }),
      );
    },
    load: () => loadDraft(project, context),
  };
}

export function failureOf(error: unknown): Failure {
  const sentence = errorText(error);
  if (!(error instanceof ApiError)) return { kind: 'refused', sentence };
  // The shell answers 502 to 504 in place of a service that is gone.
  const away = error.code === 'offline' || (error.status >= 502 && error.status <= 504);
  return { kind: error.code === 'conflict' ? 'conflict' : away ? 'away' : 'refused', sentence };
}

async function changeOf({ x, y, width, height, values, ...state }: DraftState & Packed): Promise<Change> {
  return { ...state, rect: { x, y, width, height }, values: await inflate(blobOfBase64(values)) };
}

interface Packed {
  x: number;
  y: number;
  width: number;
  height: number;
  values: string;
}
