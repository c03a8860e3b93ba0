import { expect, test } from 'vitest';
import { briefly } from '../../src/report/words/briefNames.js';

const RELU = 'net/relu_1/Relu;net/batch_normalization_1/batchnorm/add;net/conv2d_1/Conv2D';

test('a name joined of many goes to its first part', () => {
  const brief = briefly([RELU, 'net/dense/BiasAdd'], '…');
  expect(brief(`${RELU} and net/dense/BiasAdd`)).toBe('net/relu_1/Relu;… and net/dense/BiasAdd');
});

test('as many parts as tell it apart', () => {
  const other = 'net/relu_1/Relu;net/batch_normalization_2/batchnorm/add;net/conv2d_2/Conv2D;net/conv2d_2/BiasAdd';
  const brief = briefly([RELU, other, 'net/relu_1/Relu'], '...');
  expect(brief(other)).toBe('net/relu_1/Relu;net/batch_normalization_2/batchnorm/add;...');
  expect(brief(RELU)).toBe(RELU); // what would be left is nearly all of it
});

test('escapes of a name from a file stay escapes', () => {
  const name = `a\u001b[31m;${'b'.repeat(60)}`;
  expect(briefly([name], '…')('a\\x1b[31m;'.concat('b'.repeat(60)))).toBe('a\\x1b[31m;…');
});

test('short names and one long part are left', () => {
  const long = 'x'.repeat(80);
  expect(briefly(['a;b', long], '…')(`a;b ${long}`)).toBe(`a;b ${long}`);
});
