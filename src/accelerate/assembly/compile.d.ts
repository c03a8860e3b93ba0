import type { Plugin } from 'vitest/config';

export declare const assemblyscript: Plugin;
export declare const RELAXED: readonly string[];
export declare function sourcesOf(file: string): Map<string, string>;
export declare function compile(sources: ReadonlyMap<string, string>, more?: readonly string[]): Promise<Uint8Array>;
