/**
 * The bytes of an ONNX file: the part of `onnx.proto` (github.com/onnx/onnx, IR version 8) that our graphs use, as a table
 * of fields, and the same as types.
 */
import protobuf, { type IType, type Type } from 'protobufjs/light.js';

/** `TensorProto.DataType`. */
export const DATA_TYPE = { float: 1, int64: 7 } as const;

/** `AttributeProto.AttributeType`. */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;

export interface OnnxTensor {
  name: string;
  dims: number[];
  dataType: number;
  /** Little-endian, row-major. */
  rawData: Uint8Array;
}

export interface OnnxAttribute {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  ints?: number[];
}

export interface OnnxNode {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: OnnxAttribute[];
}

/** A length, or the name of one that is free. */
export type OnnxDimension = { dimValue: number } | { dimParam: string };

/** Name, element type and shape of what goes in or comes out. */
export interface OnnxValueInfo {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: OnnxDimension[] } } };
  docString: string;
}

export interface OnnxModel {
  irVersion: number;
  opsetImport: { domain: string; version: number }[];
  producerName: string;
  producerVersion: string;
  modelVersion: number;
  docString: string;
  graph: {
    name: string;
    node: OnnxNode[];
    initializer: OnnxTensor[];
    input: OnnxValueInfo[];
    output: OnnxValueInfo[];
  };
  metadataProps: { key: string; value: string }[];
}

const one = (type: string, id: number) => ({ type, id });
const many = (type: string, id: number) => ({ rule: 'repeated', type, id });

/** Field numbers as in onnx.proto; names in camel case. */
const MESSAGES: Readonly<Record<string, IType>> = {
  ModelProto: {
    fields: {
      irVersion: one('int64', 1),
      producerName: one('string', 2),
      producerVersion: one('string', 3),
      modelVersion: one('int64', 5),
      docString: one('string', 6),
      graph: one('GraphProto', 7),
      opsetImport: many('OperatorSetIdProto', 8),
      metadataProps: many('StringStringEntryProto', 14),
    },
  },
  OperatorSetIdProto: { fields: { domain: one('string', 1), version: one('int64', 2) } },
  StringStringEntryProto: { fields: { key: one('string', 1), value: one('string', 2) } },
  GraphProto: {
    fields: {
      node: many('NodeProto', 1),
      name: one('string', 2),
      initializer: many('TensorProto', 5),
      input: many('ValueInfoProto', 11),
      output: many('ValueInfoProto', 12),
    },
  },
  NodeProto: {
    fields: {
      input: many('string', 1),
      output: many('string', 2),
      name: one('string', 3),
      opType: one('string', 4),
      attribute: many('AttributeProto', 5),
    },
  },
  AttributeProto: {
    fields: {
      name: one('string', 1),
      f: one('float', 2),
      i: one('int64', 3),
      s: one('bytes', 4),
      ints: many('int64', 8),
      type: one('int32', 20),
    },
  },
  TensorProto: {
    fields: {
      dims: many('int64', 1),
      dataType: one('int32', 2),
      name: one('string', 8),
      rawData: one('bytes', 9),
    },
  },
  ValueInfoProto: { fields: { name: one('string', 1), type: one('TypeProto', 2), docString: one('string', 3) } },
  TypeProto: { fields: { tensorType: one('TensorTypeProto', 1) } },
  TensorTypeProto: { fields: { elemType: one('int32', 1), shape: one('TensorShapeProto', 2) } },
  TensorShapeProto: { fields: { dim: many('DimensionProto', 1) } },
  DimensionProto: { fields: { dimValue: one('int64', 1), dimParam: one('string', 2) } },
};

const modelProto: Type = protobuf.Root.fromJSON({ nested: { onnx: { nested: { ...MESSAGES } } } }).lookupType(
  'onnx.ModelProto',
);

export function encodeOnnx(model: OnnxModel): Uint8Array {
  return modelProto.encode(model).finish();
}

/** The model of a file that `encodeOnnx` made; of others, what of them is in the table. @throws Error when it is none */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  // The table and the type say the same.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return modelProto.toObject(modelProto.decode(bytes), { longs: Number, arrays: true }) as OnnxModel;
}
