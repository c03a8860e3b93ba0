import type { Plugin } from 'vitest/config';

export declare const assemblyscript: Plugin;
export declare const RELAXED: readonly string[];
export declare function compile(name: string, text: string, more?: readonly string[]): Promise<Uint8Array>;
