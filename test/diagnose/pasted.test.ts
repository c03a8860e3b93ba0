/** Lines that a fix gives to paste: compiled and run, each in its own language, against the arithmetic that they stand for. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Formula } from '../../src/diagnose/finding/evidence.js';
import type { Snippet } from '../../src/diagnose/words/causeWords.js';
import {
  biasCode,
  clampBelow,
  clampTo,
  INT16_PAIRS,
  INT32_SUMS,
  offsetCode,
  padWith,
  ruleCode,
  stepCode,
} from '../../src/diagnose/words/code.js';
import { hasCc, hasIverilog, hasNumpy, outputOf } from '../support/tools.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-pasted-'));

/** A multiplier of another runtime, and what it is met with. */
function formula(rounding: 'single' | 'double' | 'double-up', shift: number): Formula {
  const multiplier = { step: rounding, equation: rounding, int32: 1708296307, shift, rounding };
  return { multiplier, rounding: null, bias: null, zero_point: null, channel: 0 } as unknown as Formula;
}
const own = { multiplier: { step: 'own', equation: 'own' }, rounding: null, bias: null, zero_point: null };
const multiplied = (rounding: 'single' | 'double' | 'double-up', shift: number) =>
  stepCode(own as unknown as Formula, formula(rounding, shift));

const SHIFT = -7;
const ACCUMULATORS = [-123456, -4097, -97, -1, 0, 1, 64, 4095, 99999, 2147483647, -2147483648];
const high = (acc: number) => (BigInt(acc) * 1708296307n + (1n << 30n)) >> 31n;
const HALF = 1n << 6n;
const EXPECTED = {
  single: (acc: number) => (BigInt(acc) * 1708296307n + (1n << 37n)) >> 38n,
  double: (acc: number) => (high(acc) < 0n ? -((-high(acc) + HALF) >> 7n) : (high(acc) + HALF) >> 7n),
  'double-up': (acc: number) => (high(acc) + HALF) >> 7n,
} as const;
const ROUNDINGS = ['single', 'double', 'double-up'] as const;

/** Channels of which one is not shifted at all; where one shift does all, one more to the left. */
const CHANNELS = [
  { m: 1708296307, s: 7 },
  { m: 1288490189, s: 0 },
];
const channelsOf = (rounding: 'single' | 'double' | 'double-up') =>
  rounding === 'single' ? [...CHANNELS, { m: 1288490189, s: -2 }] : CHANNELS;
const byChannel = (rounding: 'single' | 'double' | 'double-up') => {
  const { multiplier, ...others } = formula(rounding, SHIFT);
  return stepCode(own as unknown as Formula, { ...others, multiplier: { ...multiplier, by_channel: true } });
};
const EXPECTED_OF = (rounding: 'single' | 'double' | 'double-up', acc: number, { m, s }: (typeof CHANNELS)[number]) => {
  const [total, half] = [31n + BigInt(s), (1n << BigInt(s)) >> 1n];
  if (rounding === 'single') return (BigInt(acc) * BigInt(m) + (1n << (total - 1n))) >> total;
  const q = (BigInt(acc) * BigInt(m) + (1n << 30n)) >> 31n;
  return rounding === 'double' && q < 0n ? -((-q + half) >> BigInt(s)) : (q + half) >> BigInt(s);
};
const expectedByChannel = (rounding: 'single' | 'double' | 'double-up') =>
  ACCUMULATORS.flatMap((acc) => channelsOf(rounding).map((own) => EXPECTED_OF(rounding, acc, own)));

/** Quarters: halves of both parities, and what lies beside them. */
const QUARTERS = Array.from({ length: 81 }, (_, i) => i - 40);
const away = (v: number) => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);
const RULES: Readonly<Record<string, (v: number) => number>> = {
  halfEven: (v) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v)),
  halfAway: away,
  halfUp: (v) => Math.floor(v + 0.5),
  towardZero: Math.trunc,
  halfThenTowardZero: (v) => Math.trunc(v + 0.5),
  halfThenDownward: (v) => Math.floor(v < 0 ? v - 0.5 : v + 0.5),
  downward: Math.floor,
  upward: Math.ceil,
};

const linesOf = (code: readonly Snippet[], language: string) =>
  code.filter((line) => line.language === language).map(({ text }) => text);
const plus0 = (values: readonly number[]) => values.map((value) => value + 0);

function lines(...codes: readonly (readonly Snippet[])[]) {
  return (language: string) => codes.flatMap((code) => linesOf(code, language));
}
const others = lines(
  INT32_SUMS,
  INT16_PAIRS,
  clampTo(0, 255),
  clampTo(-128, 127),
  clampBelow(),
  clampBelow(128),
  padWith('x_zero_point'),
  padWith(3),
  offsetCode('before'),
  offsetCode('after'),
  biasCode({ bias: null } as Pick<Formula, 'bias'>),
);

describe.skipIf(!hasCc)(`C${hasCc ? '' : ' (no cc)'}`, () => {
  function printed(body: string): string[] {
    const source = `#include <math.h>
#include <stdint.h>
#include <stdio.h>
enum { X_ZERO_POINT = 3, Y_ZERO_POINT = 5, Y_ZERO_POINT_ = 0 };
static const int32_t BIAS_INT32[2] = {7, -9};
${body}`;
    writeFileSync(join(folder, 'pasted.c'), source);
    outputOf('cc', ['-Wall', '-Werror', '-Wno-unused', '-o', 'pasted', 'pasted.c', '-lm'], folder);
    return outputOf(join(folder, 'pasted'), [], folder).trim().split('\n');
  }
  const program = (type: string, name: string, values: readonly number[], divisor: string, body: readonly string[]) =>
    `int main(void) { static const long long all[] = {${values.map((v) => (v === -(2 ** 31) ? '-2147483647 - 1' : v)).join(', ')}};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) { ${type} ${name} = all[i]${divisor}; int64_t q = 0; ${body.join('\n')} printf("%lld\\n", (long long)q); }
  return 0; }`;

  test.each(Object.keys(RULES))('%s', (rule) => {
    const [line, ...more] = linesOf(ruleCode(rule), 'c');
    expect(more).toEqual([]);
    const got = printed(program('double', 'v', QUARTERS, ' / 4.0', [line])).map(Number);
    expect(got).toEqual(plus0(QUARTERS.map((v) => RULES[rule](v / 4))));
  });

  test.each(ROUNDINGS)('a fixed-point multiplier, %s', (rounding) => {
    const code = linesOf(multiplied(rounding, SHIFT), 'c');
    expect(code.length).toBe(rounding === 'single' ? 1 : 2);
    const got = printed(program('int32_t', 'acc', ACCUMULATORS, '', code)).map(BigInt);
    expect(got).toEqual(ACCUMULATORS.map(EXPECTED[rounding]));
  });

  test.each(ROUNDINGS)('each channel’s multiplier, %s', (rounding) => {
    const code = linesOf(byChannel(rounding), 'c').join('\n');
    const channels = channelsOf(rounding);
    const numbers = `static const int32_t MULTIPLIER[] = {${channels.map(({ m }) => m)}}; static const int8_t SHIFT[] = {${channels.map(({ s }) => -s)}};\n`;
    const body = [
      `int s; (void)s; for (int n = 0; n < ${channels.length}; n++) { ${code}`,
      `if (n < ${channels.length - 1}) printf("%lld\\n", (long long)q); }`,
    ];
    const got = printed(numbers + program('int32_t', 'acc', ACCUMULATORS, '', body)).map(BigInt);
    expect(got).toEqual(expectedByChannel(rounding));
  });

  test('all others compile, and the sums are those of int32', () => {
    const functions = others('c').map(
      (line, i) =>
        `void f${i}(const uint8_t *x, const int8_t *w, int k, int n, int i, int in_image) { int32_t acc = 0, q = 0; double v = 0; ${line} (void)acc; (void)q; (void)v; }`,
    );
    const [sum] = linesOf(INT32_SUMS, 'c');
    const main = `int main(void) { uint8_t x[3] = {200, 0, 255}; int8_t w[3] = {-128, 127, 5}; int32_t acc = 0;
  for (int k = 0; k < 3; k++) { ${sum} } printf("%d\\n", acc); return 0; }`;
    expect(printed([...functions, main].join('\n'))).toEqual([String(197 * -128 + -3 * 127 + 252 * 5)]);
  });
});

describe.skipIf(!hasIverilog)(`Verilog${hasIverilog ? '' : ' (no iverilog)'}`, () => {
  function printed(module: string): string[] {
    writeFileSync(join(folder, 'pasted.v'), module);
    outputOf('iverilog', ['-g2005-sv', '-o', 'pasted.vvp', 'pasted.v'], folder);
    return outputOf('vvp', ['pasted.vvp'], folder)
      .split('\n')
      .filter((line) => /^-?\d+$/.test(line.trim()));
  }

  test.each(Object.keys(RULES))('%s', (rule) => {
    const [line] = linesOf(ruleCode(rule), 'verilog');
    const got = printed(`module t; localparam S = 2; localparam signed [15:0] HALF = 1 << (S-1);
  reg signed [15:0] v, q; integer i;
  initial for (i = -40; i <= 40; i = i + 1) begin v = i; ${line}
    $display("%0d", q); end endmodule`).map(Number);
    expect(got).toEqual(plus0(QUARTERS.map((v) => RULES[rule](v / 4))));
  });

  test.each(ROUNDINGS)('a fixed-point multiplier, %s', (rounding) => {
    const code = linesOf(multiplied(rounding, SHIFT), 'verilog');
    const last = rounding === 'single' ? 'q' : 'y';
    const all = ACCUMULATORS.map((acc) => `acc = ${acc}; ${code.join('\n')}\n$display("%0d", ${last});`);
    const got = printed(`module t; reg signed [31:0] acc; reg signed [63:0] q, y;
  initial begin ${all.join('\n')} end endmodule`).map(BigInt);
    expect(got).toEqual(ACCUMULATORS.map(EXPECTED[rounding]));
  });

  test.each(ROUNDINGS)('each channel’s multiplier, %s', (rounding) => {
    const code = linesOf(byChannel(rounding), 'verilog');
    const last = rounding === 'single' ? 'q' : 'y';
    const all = ACCUMULATORS.flatMap((acc) =>
      channelsOf(rounding).map((_, n) => `acc = ${acc}; n = ${n}; ${code.join('\n')}\n$display("%0d", ${last});`),
    );
    const numbers = channelsOf(rounding).map(({ m, s }, n) => `MULTIPLIER[${n}] = ${m}; SHIFT[${n}] = ${-s};`);
    const got = printed(`module t; reg signed [31:0] acc; reg signed [63:0] q, y; integer n;
  reg signed [31:0] MULTIPLIER [0:2]; reg signed [7:0] SHIFT [0:2];
  initial begin ${numbers.join(' ')} ${all.join('\n')} end endmodule`).map(BigInt);
    expect(got).toEqual(expectedByChannel(rounding));
  });

  test('all others compile', () => {
    const blocks = others('verilog').map((line) => {
      if (line.startsWith('assign')) return line;
      return line.includes('<=') && line.startsWith('acc')
        ? `always @(posedge clk) begin ${line}\nend`
        : `always @* begin ${line}\nend`;
    });
    expect(blocks.length).toBeGreaterThan(6);
    for (const block of blocks) {
      printed(`module t(input clk, input in_image, input [7:0] x, input signed [7:0] w, input signed [15:0] v, input n);
  localparam signed X_ZERO_POINT = 3, Y_ZERO_POINT = 5; reg signed [31:0] acc; reg signed [15:0] q; wire signed [8:0] tap;
  wire signed [31:0] BIAS_INT32 [0:1];
  ${block}
endmodule`);
    }
  });
});

describe.skipIf(!hasNumpy)(`numpy${hasNumpy ? '' : ' (no python3 with numpy)'}`, () => {
  const printed = (code: string) => JSON.parse(outputOf('python3', ['-c', `import numpy as np\n${code}`]));

  test.each(Object.keys(RULES))('%s', (rule) => {
    const [line] = linesOf(ruleCode(rule), 'python');
    const got = printed(`v = np.arange(-40, 41) / 4\n${line}\nprint((q + 0).tolist())`);
    expect(got).toEqual(plus0(QUARTERS.map((v) => RULES[rule](v / 4))));
  });

  test.each(ROUNDINGS)('a fixed-point multiplier, %s', (rounding) => {
    const code = linesOf(multiplied(rounding, SHIFT), 'python');
    const got = printed(
      `acc = np.array([${ACCUMULATORS}], np.int32)\n${code.join('\n')}\nprint([str(v) for v in q.tolist()])`.replace(
        'print([str(v) for v in q.tolist()])',
        'import json; print(json.dumps([str(v) for v in q.tolist()]))',
      ),
    );
    expect(got.map(BigInt)).toEqual(ACCUMULATORS.map(EXPECTED[rounding]));
  });

  test.each(ROUNDINGS)('each channel’s multiplier, %s', (rounding) => {
    const code = linesOf(byChannel(rounding), 'python').join('\n');
    const numbers = `multiplier_int32 = np.array([${channelsOf(rounding).map(({ m }) => m)}], np.int32); shift = np.array([${channelsOf(rounding).map(({ s }) => -s)}], np.int8)`;
    const got = printed(
      `acc = np.array([${ACCUMULATORS}], np.int32)[:, None]\n${numbers}\n${code}\nimport json; print(json.dumps([str(v) for v in q.ravel().tolist()]))`,
    );
    expect(got.map(BigInt)).toEqual(expectedByChannel(rounding));
  });

  test('an equation in float32 has the names that all lines have', () => {
    const float = (equation: string) =>
      stepCode(own as unknown as Formula, { ...own, multiplier: { step: 'f', equation } } as unknown as Formula);
    expect(float('f32(acc) * R(sx)')).toEqual([]);
    const [line] = linesOf(float('f32(acc) * f32(f32(sx * sw) / sy)'), 'python');
    const got = printed(`acc, x_scale, w_scale, y_scale = np.int32(1000), 0.1, 0.02, 0.3\n${line}\nprint(float(v))`);
    expect(got).toBe(Math.fround(1000 * Math.fround(Math.fround(0.1 * 0.02) / 0.3)));
  });
});
