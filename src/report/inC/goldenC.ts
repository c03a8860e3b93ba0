/** Golden vectors as C: golden.h with the arrays, reference.c with an integer-only loop that reproduces them. */

import type { GoldenLayer, GoldenSet } from '../../analyze/golden.js';
import type { GoldenArray } from '../../analyze/goldenArrays.js';
import { floatText, inIntegers } from '../../analyze/inC/writer.js';
import { clampOfCodes } from '../../kernels/steps/activation.js';
import type { FileContent } from '../../nouns/io.js';
import type { Operation } from '../../nouns/written.js';
import { positionsOf, sizeOf } from '../../tensor/shape.js';
import { bytesOf, inPieces } from '../pieces.js';
import { patchLines, positionLoops } from './goldenConvolution.js';
import { FLOAT_TYPE, helpersOf } from './goldenHelpersC.js';
import { commented, integerArray, isIntegers, numberArray, type Put, plainArray } from './goldenText.js';
import { isInC, valueArrays, valueFunction } from './goldenValuesC.js';

/** A name that is an identifier in C and a file's name everywhere; names that fall together are numbered. */
export function identifiers(names: readonly string[]): Map<string, string> {
  const used = new Set<string>();
  return new Map(
    names.map((name) => {
      const plain = name
        .replace(/\W/g, '_')
        .replace(/^(?=\d|$)/, 'layer_')
        .slice(0, 100);
      let identifier = plain;
      for (let i = 2; used.has(identifier.toLowerCase()); i++) identifier = `${plain}_${i}`;
      used.add(identifier.toLowerCase());
      return [name, identifier];
    }),
  );
}

export function goldenC(set: GoldenSet): Map<string, FileContent> {
  const names = identifiers([...set.layers, ...set.values].map(({ name }) => name));
  const layers = set.layers.map((layer) => ({ layer, id: names.get(layer.name)! }));
  const values = set.values.filter(isInC).map((value) => ({ value, id: names.get(value.name)! }));
  const others = set.values.filter((value) => !isInC(value));
  const functions = [
    ...layers.flatMap(({ layer, id }) => [layerFunction(layer, id), '']),
    ...values.flatMap(({ value, id }) => [valueFunction(value, id), '']),
    ...others.flatMap(({ name, equation }) => [
      `/* ${commented(name)}: ${commented(equation)} (no C is written of it; its vectors are in golden.h) */`,
      '',
    ]),
  ];
  const helpers = helpersOf(functions.join('\n'));
  const source = [
    `/* ${commented(set.kernel.equation)} */`,
    '/* Integers only. Compile with: cc -o reference reference.c */',
    '#include <stdio.h>',
    '#include "golden.h"',
    '',
    helpers,
    ...functions,
    'int main(void) {',
    '  long differ = 0;',
    ...[...layers, ...values].map(({ id }) => `  differ += ${id}_check();`),
    '  return differ == 0 ? 0 : 1;',
    '}',
    '',
  ];
  return new Map<string, FileContent>([
    ['golden.h', bytesOf((write) => writeHeader(set, names, helpers, write))],
    ['reference.c', source.join('\n')],
  ]);
}

/** Piece by piece: of a million channels its lines and the whole of them took 500 MB. */
function writeHeader(set: GoldenSet, names: Map<string, string>, helpers: string, write: Put): void {
  const { put, end } = inPieces(write);
  const isWithFloats = helpers.includes('golden_float');
  const head = [
    `/* Golden vectors of kernel ${set.kernel.name}, ${set.samples} samples. Arrays are row-major. */`,
    '#ifndef QDIFF_GOLDEN_H',
    '#define QDIFF_GOLDEN_H',
    '#include <stdint.h>',
    '',
    ...(isWithFloats ? FLOAT_TYPE : []),
  ];
  for (const line of head) put(`${line}\n`);
  const named = (name: string) => {
    put(`/* ${commented(name)} */\n`);
    return names.get(name)!;
  };
  for (const layer of set.layers) {
    layerArrays(layer, named(layer.name), put);
    put('\n');
  }
  for (const value of set.values) {
    valueArrays(value, named(value.name), put);
    put('\n');
  }
  put('#endif\n');
  end();
}

function layerArrays(layer: GoldenLayer, id: string, put: Put): void {
  const { arrays, recipe, steps, product, samples } = layer;
  const { inFeatures, outFeatures } = product;
  const constant = (name: string, value: number) => put(`#define ${id.toUpperCase()}_${name} ${value}\n`);
  constant('SAMPLES', samples);
  if (hasPositions(layer)) constant('ROWS', samples * positionsOf(layer.shapes.output));
  constant('IN_FEATURES', inFeatures);
  constant('OUT_FEATURES', outFeatures);
  for (const array of arrays.filter(isIntegers)) integerArray(array, dimsInC(array, product), id, put);
  for (const { name, values } of steps.accumulate.c!(product, id).arrays) plainArray('int32_t', name, values, put);
  for (const [i, operation] of recipe.operations.entries())
    if (isConstant(operation)) operationArray(operation, `${id}_operand_${i}`, outFeatures, put);
}

/** A linear layer along the last axis of more: rows of all samples. */
function hasPositions({ product, shapes }: GoldenLayer): boolean {
  return !product.patch && positionsOf(shapes.output) > 1;
}

/** A convolution's as they are; everything else of a linear layer is rows. */
function dimsInC({ shape, value }: GoldenArray, { patch, inFeatures, outFeatures }: GoldenLayer['product']) {
  if (patch || shape.length < 3) return shape;
  const features = value?.endsWith('.input') ? inFeatures : outFeatures;
  return [sizeOf(shape) / features, features];
}

/** One number a channel. */
function isConstant({ addend, curve }: Operation): boolean {
  return !addend && !curve;
}

function operationArray({ operand, factor }: Operation, name: string, channels: number, put: Put): void {
  // an fma adds an exact product: 24 bits times 24 bits
  const value = factor ? (n: number) => operand(n) * factor(n) : operand;
  numberArray('golden_float', name, channels, (n) => floatText(value(n)), put);
}

// ---------------------------------------------------------------- the loop

/** Of steps that all have a C form: `golden` refuses other kernels. */
function layerFunction(layer: GoldenLayer, id: string): string {
  const { product, steps, recipe } = layer;
  const { input, output, activation } = product;
  const [lo, hi] = clampOfCodes(activation, output, steps.bound);
  const held = (sum: string) => (recipe.wide ? sum : `wrap32(${sum})`);
  const bias = recipe.biasInt32 ? [`  acc = ${held(`(int64_t)acc + ${id}_bias_int32[n]`)};`] : [];
  const { head, lines } = product.patch ? patchLines(layer, id) : rowLines(layer, id);
  return [
    `/* ${commented(layer.name)} */`,
    `static int32_t ${id}_compute(${head}) {`,
    `  const int64_t zx = ${input.zeroPoint}, zw = ${id}_weight_zero_point[n];`,
    ...lines,
    '  int64_t sum = 0, code;',
    ...steps.accumulate.c!(product, id).lines,
    `  ${recipe.wide ? 'int64_t' : 'int32_t'} acc = ${held('sum')};`,
    ...bias,
    ...(recipe.fixedPoint ? fixedPointLines(layer, id) : floatLines(layer, id)),
    `  return code < ${lo} ? ${lo} : code > ${hi} ? ${hi} : (int32_t)code;`,
    '}',
    '',
    `static long ${id}_check(void) {`,
    '  long differ = 0;',
    ...(product.patch ? positionLoops(layer, id) : rowLoops(layer, id)),
    '  return differ;',
    '}',
  ].join('\n');
}

function rowLines({ product: { input, weightDtype } }: GoldenLayer, id: string) {
  return {
    head: `const ${input.dtype}_t *x, int n`,
    lines: [`  const ${weightDtype ?? 'int8'}_t *w = ${id}_weight[n];`],
  };
}

function rowLoops(layer: GoldenLayer, id: string): string[] {
  const upper = id.toUpperCase();
  const [row, rows] = hasPositions(layer) ? ['row', `${upper}_ROWS`] : ['sample', `${upper}_SAMPLES`];
  return [
    `  for (int ${row} = 0; ${row} < ${rows}; ${row}++)`,
    `    for (int n = 0; n < ${upper}_OUT_FEATURES; n++)`,
    `      if (${id}_compute(${id}_input[${row}], n) != ${id}_output[${row}][n]) differ++;`,
    `  printf("${id}: %ld of %ld values differ\\n", differ, (long)${rows} * ${upper}_OUT_FEATURES);`,
  ];
}

function fixedPointLines({ recipe, steps, product }: GoldenLayer, id: string): string[] {
  return [
    `  int64_t m = ${id}_multiplier_int32[n];`,
    `  int e = ${id}_shift[n];`,
    ...(recipe.fixedPoint!.cOf?.(product) ?? recipe.fixedPoint!.c!),
    steps.offsetAndClamp.c!.code(product.output.zeroPoint),
  ];
}

const CALLS: Readonly<Record<Operation['kind'], string>> = {
  add: 'add',
  multiply: 'multiply',
  divide: 'divide',
  fma: 'add', // of a product that is exact
  'multiply-add': '', // of float outputs alone, which have no vectors
  curve: '',
};

/** What a second value adds is computed from its code `a`: its product with the scale is exact, or rounded first. */
function operandText({ addend, kind }: Operation, constant: string): string {
  if (!addend) return constant;
  const { mantissa, exponent } = inIntegers(addend.scale);
  const centred = `a - (${addend.zeroPoint})`;
  if (kind === 'fma') return `(golden_float){(${centred}) * (int64_t)${mantissa}, ${exponent}}`;
  return `multiply((golden_float){${centred}, 0}, ${floatText(addend.scale)})`;
}

function floatLines({ recipe, steps, product }: GoldenLayer, id: string): string[] {
  const { zeroPoint } = product.output;
  const { zeroPointFirst, code } = steps.offsetAndClamp.c!;
  const operations = recipe.operations.map(({ kind, formula, factorFormula, curve }, i) => {
    const text = commented(factorFormula ? `${formula} * (${factorFormula}), one rounding` : formula);
    return `  v = ${curve?.c ? `${curve.c}(v)` : `${CALLS[kind]}(v, ${operandText(recipe.operations[i], `${id}_operand_${i}[n]`)})`};  /* ${text} */`;
  });
  return [
    '  golden_float v = rounded(acc, 0);',
    ...operations,
    ...(zeroPointFirst ? [`  v = add(v, (golden_float){${zeroPoint}, 0});`] : []),
    `  code = ${steps.round.c!}(v);`,
    ...(zeroPointFirst ? [] : [code(zeroPoint)]),
  ];
}
