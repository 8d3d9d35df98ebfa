/**
 * Reads a Python pickle as data. A pickle is a program that may call anything; here it may build numbers, text, lists and
 * dictionaries and name the few things that its caller knows, and whatever else it asks for is refused by name.
 *
 * Format: Python's `pickletools`, protocol 2.
 */

/** What a pickle may name: a class or function of Python's. */
export class PickledName {
  /** As in "torch.FloatStorage". */
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What a pickle builds. Tuples and lists are arrays. `T` is what the caller makes of names and references. */
export type Pickled<T> = null | boolean | number | bigint | string | PickledName | Pickled<T>[] | PickledMap<T> | T;
/** A dictionary, in its order. */
export class PickledMap<T> extends Map<Pickled<T>, Pickled<T>> {}

export interface PickleRules<T> {
  /** Names that may stand there. */
  readonly names: ReadonlySet<string>;
  /** Calls one of them. @throws Error where it cannot be called so */
  call(name: string, args: readonly Pickled<T>[]): Pickled<T>;
  /** What a reference to something outside of the pickle stands for. */
  reference(id: Pickled<T>): Pickled<T>;
}

/** Where a list or dictionary begins on the stack. */
const MARK = Symbol('mark');

/**
 * Read one pickle.
 * @param at where it begins
 * @returns its value, and where the next byte after it lies
 * @throws Error saying what is not allowed or not whole
 */
export function readPickle<T>(bytes: Buffer, at: number, rules: PickleRules<T>): { value: Pickled<T>; end: number } {
  const stack: (Pickled<T> | typeof MARK)[] = [];
  const memory = new Map<number, Pickled<T>>();
  let place = at;
  const take = (length: number): Buffer => {
    if (length < 0 || place + length > bytes.length) throw new Error('it ends in the middle');
    return bytes.subarray(place, (place += length));
  };
  const line = (): string => {
    const end = bytes.indexOf(0x0a, place);
    if (end < 0) throw new Error('it ends in the middle');
    const text = bytes.toString('utf8', place, end);
    place = end + 1;
    return text;
  };
  const pop = (): Pickled<T> => {
    const value = stack.pop();
    if (value === undefined || value === MARK) throw new Error('it takes what is not there');
    return value;
  };
  const top = (): Pickled<T> => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const sinceMark = (): Pickled<T>[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) throw new Error('it takes what is not there');
    return stack.splice(mark).flatMap((value) => (value === MARK ? [] : [value]));
  };
  const put = (pairs: readonly Pickled<T>[]): void => {
    const map = top();
    if (!(map instanceof PickledMap)) throw new Error('it puts a key into what is no dictionary');
    for (let i = 0; i + 1 < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  };
  const recall = (key: number): void => {
    const value = memory.get(key);
    if (value === undefined) throw new Error('it recalls what it has not kept');
    stack.push(value);
  };
  const append = (values: readonly Pickled<T>[]): void => {
    const list = top();
    if (!Array.isArray(list)) throw new Error('it appends to what is no list');
    list.push(...values);
  };
  const tuple = (length: number): void => {
    const values = Array.from({ length }, pop);
    stack.push(values.toReversed());
  };
  for (;;) {
    const opcode = take(1)[0];
    switch (opcode) {
      case 0x80: // PROTO
        if (take(1)[0] !== 2) throw new Error('it is not of protocol 2');
        break;
      case 0x2e: // STOP
        return { value: pop(), end: place };
      case 0x28: // MARK
        stack.push(MARK);
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        stack.push(opcode === 0x88);
        break;
      case 0x4b: // BININT1
        stack.push(take(1)[0]);
        break;
      case 0x4d: // BININT2
        stack.push(take(2).readUInt16LE());
        break;
      case 0x4a: // BININT
        stack.push(take(4).readInt32LE());
        break;
      case 0x8a: // LONG1
        stack.push(signed(take(take(1)[0])));
        break;
      case 0x58: // BINUNICODE
        stack.push(take(take(4).readUInt32LE()).toString('utf8'));
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new PickledMap());
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        tuple(opcode - 0x84);
        break;
      case 0x74: // TUPLE
        stack.push(sinceMark());
        break;
      case 0x61: // APPEND
        append([pop()]);
        break;
      case 0x65: // APPENDS
        append(sinceMark());
        break;
      case 0x73: // SETITEM
        put([pop(), pop()].toReversed());
        break;
      case 0x75: // SETITEMS
        put(sinceMark());
        break;
      case 0x71: // BINPUT
        memory.set(take(1)[0], top());
        break;
      case 0x72: // LONG_BINPUT
        memory.set(take(4).readUInt32LE(), top());
        break;
      case 0x68: // BINGET
        recall(take(1)[0]);
        break;
      case 0x6a: // LONG_BINGET
        recall(take(4).readUInt32LE());
        break;
      case 0x63: {
        // GLOBAL
        const name = `${line()}.${line()}`;
        if (!rules.names.has(name)) throw new Error(`it names ${name}`);
        stack.push(new PickledName(name));
        break;
      }
      case 0x52: {
        // REDUCE
        const args = pop();
        const name = pop();
        if (!(name instanceof PickledName) || !Array.isArray(args)) throw new Error('it calls what has no name');
        stack.push(rules.call(name.name, args));
        break;
      }
      case 0x51: // BINPERSID
        stack.push(rules.reference(pop()));
        break;
      case 0x62: // BUILD: attributes of a dictionary, which is read without them
        pop();
        if (!(top() instanceof PickledMap)) throw new Error('it sets attributes of what is no dictionary');
        break;
      default:
        throw new Error(`it asks for operation 0x${opcode.toString(16).padStart(2, '0')}`);
    }
  }
}

/** A whole number of any length, little-endian two's complement. */
function signed(bytes: Buffer): bigint {
  const hex = Buffer.from(bytes.toReversed()).toString('hex');
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex || '0'}`));
}
