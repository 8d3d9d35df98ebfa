/** The OpenAPI document of the contract. */
import { z } from 'zod';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { CONTRACT } from '../api/contract.ts';
import { type Endpoint, TEXT_PARAMS } from '../api/endpoint.ts';
import { ErrorBody } from '../api/errors.ts';
import { CODE_VERSION } from '../base/version.ts';

/** As an object that survives JSON. */
export function openApiDocument(): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const [key, endpoint] of Object.entries<Endpoint>(CONTRACT)) {
    const [method, path] = key.split(' ');
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const params = names.map((name) => [name, TEXT_PARAMS.includes(name) ? z.string() : z.int().positive()]);
    const { query, body, upload, response } = endpoint;
    const content =
      body !== undefined
        ? { 'application/json': { schema: body } }
        : { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } as const } };
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: {
        summary: endpoint.summary,
        ...(names.length > 0 || query
          ? {
              requestParams: {
                ...(names.length > 0 ? { path: z.object(Object.fromEntries(params)) } : {}),
                ...(query ? { query } : {}),
              },
            }
          : {}),
        ...(body !== undefined || upload !== undefined ? { requestBody: { required: true, content } } : {}),
        responses: {
          '200': {
            description: 'Done.',
            content:
              response instanceof z.ZodType
                ? { 'application/json': { schema: response } }
                : { [response.media]: { schema: { type: 'string', format: 'binary' } } },
          },
          default: {
            description: 'Refused or failed, with a code and one sentence.',
            content: { 'application/json': { schema: ErrorBody } },
          },
        },
      },
    };
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Contexture', version: CODE_VERSION },
    paths,
  });
}
