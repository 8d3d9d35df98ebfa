/** From a request's text to the values that the contract promises to a handler. */
import { z } from 'zod';
import { TEXT_PARAMS } from '../api/endpoint.ts';
import { UserError } from '../base/errors.ts';

/**
 * Values of the names in a path.
 * @throws UserError 'usage' naming the one that is not what it must be
 */
export function parseParams(texts: Readonly<Record<string, string>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      if (TEXT_PARAMS.includes(name)) return [name, text];
      if (!/^[1-9]\d{0,14}$/.test(text)) {
        throw new UserError('usage', `The ${name} in the address is a positive whole number, not ${quote(text)}.`);
      }
      return [name, Number(text)];
    }),
  );
}

/**
 * Values of a query string, by the schema of each: numbers and booleans from their text, arrays by repetition.
 * @throws UserError 'usage'
 */
export function parseQuery(schema: z.ZodObject, query: URLSearchParams): unknown {
  const values: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    const field: unknown = schema.shape[name];
    if (!(field instanceof z.ZodType)) {
      throw new UserError(
        'usage',
        `There is no ${quote(name)} to ask for here: ${Object.keys(schema.shape).join(', ')}.`,
      );
    }
    const inner = bare(field);
    const texts = query.getAll(name);
    if (inner instanceof z.ZodArray) {
      const element = inner.element;
      values[name] = texts.map((text) => (element instanceof z.ZodType ? fromText(bare(element), text) : text));
    } else {
      values[name] = fromText(inner, texts.at(-1)!);
    }
  }
  return parseWith(schema, values, 'query');
}

/**
 * Check a value from outside.
 * @param what it is, for the sentence
 * @throws UserError 'usage' naming the field and what is wrong with it
 */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  const where = path.length > 0 ? `“${path.join('.')}” of the ${what}` : `The ${what}`;
  throw new UserError('usage', `${where} is not valid: ${message}.`);
}

/** A schema without what makes it optional. */
function bare(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    const inner: unknown = schema.unwrap();
    return inner instanceof z.ZodType ? bare(inner) : schema;
  }
  return schema;
}

function fromText(schema: z.ZodType, text: string): unknown {
  if (schema instanceof z.ZodNumber) return text.trim() === '' ? text : Number(text);
  if (schema instanceof z.ZodBoolean) return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

const quote = (text: string): string => `“${text.length > 40 ? `${text.slice(0, 40)}…` : text}”`;
