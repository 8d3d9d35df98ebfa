/** Arguments and results of traced functions: arrays and plain objects with tensors and other values at their ends. */
import * as tf from '@tensorflow/tfjs-core';

/** One end of a tree. */
export interface Leaf {
  /** Where it is, as in "1.images"; empty for a tree that is itself a leaf. */
  path: string;
  value: unknown;
}

/** All leaves in a fixed order: that of the arrays' and objects' own entries. Instances of classes are leaves. */
export function leavesOf(tree: unknown, path = ''): Leaf[] {
  if (!isBranch(tree)) return [{ path, value: tree }];
  return Object.entries(tree).flatMap(([key, value]) => leavesOf(value, path === '' ? key : `${path}.${key}`));
}

/** The leaves that are tensors, in that order. */
export function tensorsOf(tree: unknown): { path: string; tensor: tf.Tensor }[] {
  return leavesOf(tree).flatMap(({ path, value }) => (value instanceof tf.Tensor ? [{ path, tensor: value }] : []));
}

/** What two trees have in common that differ only in the values of their tensors, and in what is no tensor. */
export function formOf(tree: unknown): string {
  return leavesOf(tree)
    .map(({ path, value }) => `${path} ${value instanceof tf.Tensor ? `${value.dtype} ${value.shape.join(',')}` : ''}`)
    .join(';');
}

/** A tree of the same form, with each leaf replaced. */
export function mapLeaves(tree: unknown, replace: (value: unknown) => unknown): unknown {
  if (!isBranch(tree)) return replace(tree);
  if (Array.isArray(tree)) return tree.map((value) => mapLeaves(value, replace));
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, mapLeaves(value, replace)]));
}

function isBranch(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || value instanceof tf.Tensor) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
