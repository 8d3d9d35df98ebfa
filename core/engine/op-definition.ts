/**
 * What inputs a TensorFlow operation takes. An eager call gives them one after the other; a node of a graph has to know
 * which of them make up a list (the tensors of ConcatV2 are one list, its axis is another input).
 *
 * TensorFlow tells it as a serialised OpDef (tensorflow/core/framework/op_def.proto), of which only the names of input
 * arguments and their list attributes are read here.
 */
import { engine } from './backend.ts';

/** Fields of OpDef and of its ArgDef, and wire types of protocol buffers. */
const INPUT_ARGUMENT = 2;
const NUMBER_ATTRIBUTE = 5;
const TYPE_LIST_ATTRIBUTE = 6;
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** For each input argument: is it a list of tensors? */
const known = new Map<string, readonly boolean[]>();

/**
 * Which input arguments of an operation are lists.
 * @param name such as "ConcatV2"
 * @throws Error when TensorFlow has no such operation
 */
export function listArguments(name: string): readonly boolean[] {
  let lists = known.get(name);
  if (!lists) {
    lists = [...fields(engine().backend.binding.operationDefinition(name))]
      .filter(({ field }) => field === INPUT_ARGUMENT)
      .map(({ bytes }) =>
        [...fields(bytes)].some(
          ({ field, bytes: value }) =>
            (field === NUMBER_ATTRIBUTE || field === TYPE_LIST_ATTRIBUTE) && value.length > 0,
        ),
      );
    known.set(name, lists);
  }
  return lists;
}

/**
 * Group the inputs of an eager call into the operation's arguments.
 * @throws Error when two arguments are lists: then the call does not say where one ends
 */
export function groupInputs<T>(name: string, inputs: readonly T[]): (T | T[])[] {
  const lists = listArguments(name);
  const listCount = lists.filter(Boolean).length;
  if (listCount > 1) throw new Error(`${name} takes ${listCount} lists of tensors`);
  const length = inputs.length - (lists.length - listCount);
  const grouped: (T | T[])[] = [];
  let at = 0;
  for (const isList of lists) {
    if (isList) grouped.push(inputs.slice(at, (at += length)));
    else grouped.push(inputs[at++]);
  }
  return grouped;
}

/** The length-delimited fields of a message: strings and messages within it. */
function* fields(message: Uint8Array): Generator<{ field: number; bytes: Uint8Array }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const wireType = key & 7;
    const value = varint();
    if (wireType === LENGTH_DELIMITED) yield { field: key >> 3, bytes: message.subarray(at, (at += value)) };
    else if (wireType !== VARINT) throw new Error(`an OpDef with wire type ${wireType}`);
  }
}
