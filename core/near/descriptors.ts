/** What pictures can be compared by, and from which cosine on they count as near-duplicates. Loads no engine. */
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { systemCode, fileError, UserError } from '../base/errors.ts';
import { backbonePath, findPack } from '../models/backbone-pack.ts';
import { backboneOf } from '../models/backbones.ts';

/** Compares by `pixel-descriptor` alone. */
export const PIXELS = 'pixels';

export interface DescriptorInfo {
  /** "pixels", or the name of a backbone that is here. */
  name: string;
  /** For people, in the middle of a sentence. */
  title: string;
  /** Cosine from which pictures count as near-duplicates, unless a person says otherwise. */
  threshold: number;
  /** Least cosine that is kept, so far down a person can go. */
  floor: number;
}

const BY_PIXELS: DescriptorInfo = { name: PIXELS, title: 'pixels', threshold: 0.92, floor: 0.82 };
const BY_BACKBONE = { threshold: 0.82, floor: 0.7 } as const;

/** All that can be used here, the best one first: backbones tell pictures apart that are alike from afar. */
export function descriptors(): DescriptorInfo[] {
  const backbones = backboneNames().flatMap((name) => {
    try {
      return describedBy(name);
    } catch (error) {
      // A damaged one is listed, with what to do, where backbones are.
      if (error instanceof UserError) return [];
      throw error;
    }
  });
  return [...backbones, BY_PIXELS];
}

/** @throws UserError 'not-found' for a backbone that is not here, 'damaged' */
export function describedBy(name: string): DescriptorInfo {
  if (name === PIXELS) return BY_PIXELS;
  const pack = /^[a-z0-9][a-z0-9._-]*$/i.test(name) ? findPack(name) : undefined;
  if (pack) return { name, title: `${backboneOf(pack.model).title} and pixels`, ...BY_BACKBONE };
  const choices = [...backboneNames(), PIXELS].join(', ');
  throw new UserError('not-found', `Pictures cannot be compared by ${name}: choose one of ${choices}.`);
}

/** Its title; its name where it is not here any more. */
export function descriptorTitle(name: string): string {
  return descriptors().find((descriptor) => descriptor.name === name)?.title ?? name;
}

const EXTENSION = '.safetensors';

function backboneNames(): string[] {
  const folder = dirname(backbonePath('any'));
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(EXTENSION))
      .map((name) => basename(name, EXTENSION))
      .toSorted();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw fileError(error, 'look into', folder);
  }
}
