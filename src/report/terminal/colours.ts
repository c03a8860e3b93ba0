import { Chalk } from 'chalk';
import { type Ink, NO_INK } from './ink.js';

/** @param level 0 is no colour, 1 is 16 colours, 2 is 256, 3 is true colour */
export const coloursOf = (level: 0 | 1 | 2 | 3): Ink => (level === 0 ? NO_INK : new Chalk({ level }));
