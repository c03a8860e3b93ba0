export declare const CHAINS: readonly number[];
