/** The methods there are; a new one is a file and a line here. */
import type { MethodName } from '../config.ts';
import { cbrs } from './cbrs.ts';
import { ce } from './ce.ts';
import { control } from './control.ts';
import { csa } from './csa.ts';
import type { Method } from './method.ts';

export const METHODS_BY_NAME: Readonly<Record<MethodName, Method>> = { ce, cbrs, control, csa };
