import type { ReportOptions } from '../../src/report/reporter.js';
import type { Report } from '../../src/types.js';
/**
 * Reports to show. iris-*: the numbers of the iris captures (PyTorch 2.13, engine x86), computed with a numpy model of
 * FBGEMM: on AVX2, on AVX2 with the thread's numpy script as candidate, with VNNI. tour: invented, one layer for each
 * thing a format must cope with: long, CJK and hostile names, every status, floats, a found weight, `unexplained`.
 */
export declare const reportNames: readonly ['iris-avx2', 'iris-avx2-candidate', 'iris-vnni', 'tour'];
export declare function fileOf(name: string): URL;
export declare function readReport(name: (typeof reportNames)[number]): Report;
export declare const plain: ReportOptions;
