/** Every route of the contract with input made from its schema, and the OpenAPI document. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { z } from 'zod';
import { CONTRACT, type Key } from '../../core/api/contract.ts';
import { TEXT_PARAMS, type Endpoint } from '../../core/api/endpoint.ts';
import { ErrorBody } from '../../core/api/errors.ts';
import { startContract } from '../fixtures/contract.ts';
import { badValues, goodValue } from '../fixtures/schema-values.ts';

const contract = startContract();
const endpoints = Object.entries<Endpoint>(CONTRACT);
const namesIn = (key: string): string[] => [...key.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

/** Values for the names of a path; the project is none that is open. */
const paramsOf = (key: string): Record<string, string> =>
  Object.fromEntries(namesIn(key).map((name) => [name, TEXT_PARAMS.includes(name) ? 'no-such' : '1']));

/** A query that fits, for where another part of the request is wrong. */
const queryOf = ({ query }: Endpoint): Record<string, unknown> =>
  query ? (goodValue(query, { whole: false }) as Record<string, unknown>) : {};

test('bodies that do not fit are refused in one sentence, before anything is done', async (t) => {
  for (const [key, endpoint] of endpoints) {
    if (!endpoint.body) continue;
    const bodies = badValues(endpoint.body);
    await t.test(`${key}: ${bodies.length}`, async () => {
      for (const { what, value } of bodies) {
        const response = await contract.ask(key, { params: paramsOf(key), query: queryOf(endpoint), body: value });
        const text = await response.text();
        assert.equal(response.status, 400, `${what}: ${text}`);
        const { error } = ErrorBody.parse(JSON.parse(text));
        assert.equal(error.code, 'usage', what);
        assert.match(error.message, /^[^\n]+ of the request is not valid: |^The request is not valid: /, what);
      }
    });
  }
});

test('queries that do not fit, and names that are not asked for, are refused', async (t) => {
  for (const [key, endpoint] of endpoints) {
    const params = paramsOf(key);
    const { query } = endpoint;
    if (!query) continue;
    await t.test(key, async () => {
      const unknown = await contract.refused(key, 'usage', {
        params,
        query: { ...queryOf(endpoint), 'no-such-name': 1 },
      });
      assert.match(unknown, /no-such-name/);
      for (const name of ['__proto__', 'constructor', 'toString']) {
        await contract.refused(key, 'usage', { params, query: Object.fromEntries([[name, '1']]) });
      }
      for (const [name, field] of Object.entries(query.shape)) {
        // Only numbers, words and yes or no can be wrong: any text is a text.
        for (const value of ['no such word', '-1.5', '1e999', '']) {
          const values = { ...queryOf(endpoint), [name]: value };
          const read = asRead(field, value);
          if (read !== undefined && query.safeParse({ ...queryOf(endpoint), [name]: read }).success) continue;
          if (read === undefined) continue;
          const response = await contract.ask(key, { params, query: values });
          assert.equal(response.status, 400, `${name}=${value}: ${await response.text()}`);
        }
      }
    });
  }
});

/** What a text of a query stands for; undefined for lists. */
function asRead(field: unknown, text: string): unknown {
  const schema = z.toJSONSchema(field as z.ZodType, { io: 'input', unrepresentable: 'any' });
  if (schema.type === 'number' || schema.type === 'integer') return text === '' ? text : Number(text);
  return schema.type === 'array' || schema.anyOf ? undefined : text;
}

test('numbers in a path are positive whole numbers', async (t) => {
  for (const [key, endpoint] of endpoints) {
    for (const name of namesIn(key).filter((one) => !TEXT_PARAMS.includes(one))) {
      await t.test(`${key} ${name}`, async () => {
        const body = endpoint.body && goodValue(endpoint.body, { whole: true });
        for (const value of ['0', '-1', '1.5', '1e3', '0x10', 'abc', '9'.repeat(40), '1 ', '../1', '1;2', '%00']) {
          const params = { ...paramsOf(key), [name]: value };
          const sentence = await contract.refused(key, 'usage', { params, query: queryOf(endpoint), body });
          assert.match(sentence, new RegExp(`The ${name} in the address is a positive whole number`));
        }
      });
    }
  }
});

test('what belongs to a project or task that is not there says so, with any good input', async (t) => {
  for (const [key, endpoint] of endpoints) {
    if (!/\{(project|task)\}/.test(key)) continue;
    await t.test(key, async () => {
      for (const whole of [true, false]) {
        // A rule beyond the form, such as "one of the two".
        if (endpoint.body?.safeParse(goodValue(endpoint.body, { whole })).success === false) continue;
        if (endpoint.query?.safeParse(goodValue(endpoint.query, { whole })).success === false) continue;
        const body = endpoint.body && goodValue(endpoint.body, { whole });
        const query = (endpoint.query && goodValue(endpoint.query, { whole })) as Record<string, unknown> | undefined;
        const upload = endpoint.upload === undefined ? undefined : new Uint8Array(8);
        for (const name of [
          'no-such',
          '..',
          '../../app',
          '%2e%2e',
          'app:1e0',
          "1' OR '1'='1",
          '\u0000',
          'x'.repeat(2000),
        ]) {
          const params = { ...paramsOf(key), ...(key.includes('{project}') ? { project: name } : { task: name }) };
          // A name of dots only is resolved before it is sent, by any client.
          if (name === '..') continue;
          await contract.refused(key, 'not-found', {
            params,
            body,
            ...(query ? { query } : {}),
            ...(upload ? { upload } : {}),
          });
        }
      }
    });
  }
});

test('no request of these was a defect', () => {
  assert.deepEqual(contract.log, []);
});

test('the OpenAPI document is valid and has every route with its input', async () => {
  const document = await contract.get<{
    openapi: string;
    paths: Record<string, Record<string, { parameters?: { name: string; in: string }[]; requestBody?: object }>>;
    components: { schemas: Record<string, unknown> };
  }>('GET /api/openapi.json');
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors, null, 2));
  const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(listed.toSorted(), Object.keys(CONTRACT).toSorted());
  for (const [key, endpoint] of endpoints) {
    const [method, path] = key.split(' ');
    const { parameters = [], requestBody } = document.paths[path][method.toLowerCase()];
    const named = (where: string): string[] => parameters.filter((one) => one.in === where).map(({ name }) => name);
    assert.deepEqual(named('path').toSorted(), namesIn(key).toSorted(), key);
    assert.deepEqual(named('query').toSorted(), Object.keys(endpoint.query?.shape ?? {}).toSorted(), key);
    assert.equal(requestBody !== undefined, endpoint.body !== undefined || endpoint.upload !== undefined, key);
  }
  for (const name of ['Task', 'Failure', 'About', 'OpenedProject'] satisfies string[]) {
    assert.ok(name in document.components.schemas, name);
  }
});

test('every key can be asked for by its own name', () => {
  // Two patterns that one address fits would hide one of them.
  const shapes = Object.keys(CONTRACT).map((key) => key.replaceAll(/\{\w+\}/g, '{}'));
  assert.equal(new Set(shapes).size, shapes.length);
  assert.ok(
    (Object.keys(CONTRACT) as Key[]).every((key) => /^(GET|POST|PUT|PATCH|DELETE) \/api\/[\w/{}.-]+$/.test(key)),
  );
});
