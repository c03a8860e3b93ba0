/** Numbers of file formats that we write down ourselves, held against those of the packages that write such files. */
import { describe, expect, test } from 'vitest';
import { onnxDtype } from '../../src/load/onnx/dtypes.js';
import { MOST_CODE, OPTIONS, operatorName } from '../../src/load/tflite/operators.js';
import { findPythonWith, run } from '../exporters/python.js';

function asked(python: string, script: string) {
  const { status, stdout, stderr } = run(python, ['-c', script]);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const litert = findPythonWith('ai_edge_litert');

describe.skipIf(litert.missing)('TFLite: the schema', () => {
  interface Schema {
    readonly operators: Record<string, number>;
    /** Tables of the union BuiltinOptions, by code: each field's place, type and default. */
    readonly options: Record<
      string,
      { name: string; fields: [name: string, id: number, type: string, missing: number][] }
    >;
  }
  const { operators, options }: Schema =
    litert.path === null ? { operators: {}, options: {} } : asked(litert.path, SCHEMA);

  test('every operator has its code', () => {
    const known = Object.entries(operators).filter(([, code]) => code <= MOST_CODE);
    expect(known).toHaveLength(MOST_CODE + 1);
    expect(known.filter(([name, code]) => operatorName(code) !== name)).toEqual([]);
  });

  /** Tables that several operators share. */
  const SHARED: Record<string, string> = {
    ...{ AVERAGE_POOL_2D: 'Pool2D', MAX_POOL_2D: 'Pool2D', L2_NORMALIZATION: 'L2Norm' },
    ...Object.fromEntries(['MEAN', 'SUM', 'REDUCE_MAX', 'REDUCE_MIN'].map((name) => [name, 'Reducer'])),
  };
  const TYPES: Record<string, string> = { i8: 'Int8', i32: 'Int32', flag: 'Bool', f32: 'Float32', text: 'String' };

  test.each([...OPTIONS])('options of %s', (operator, { type, fields }) => {
    const table = options[type];
    expect(table.name.toLowerCase()).toBe(`${(SHARED[operator] ?? operator).replaceAll('_', '')}Options`.toLowerCase());
    for (const { id, name, kind, missing } of fields) {
      const [own, , ...stored] = table.fields.find((field) => field[1] === id)!;
      expect(own).toMatch(new RegExp(name.split('_').join('.*'), 'i'));
      // an index of a subgraph is unsigned: beyond 2^31 it is refused as one below 0
      expect([name, stored[0].replace('Uint', 'Int'), stored[1]]).toEqual([name, TYPES[kind], missing]);
    }
  });
});

const SCHEMA = String.raw`
import ai_edge_litert.schema_py_generated as s, json, re
named = lambda of: {name: code for name, code in vars(of).items() if isinstance(code, int)}
FIELD = r"def (\w+)\(self\):\n\s+o = .*Offset\((\d+)\)\)\n\s+if o != 0:\n.*?(String|\w+Flags|Vector\w*)\b.*?\n\s+return (\S+)"
source = dict(re.findall(r"^class (\w+)\(object\):\n((?:(?!^class ).*\n)*)", open(s.__file__).read(), re.M))
DEFAULTS = {"None": "0", "False": "0", "True": "1"}
def fields(of):
    found = re.findall(FIELD, source[of])
    return [[name, (int(at) - 4) // 2, kind.replace("Flags", ""), float(DEFAULTS.get(missing, missing))] for name, at, kind, missing in found]
options = {code: {"name": name, "fields": fields(name)} for name, code in named(s.BuiltinOptions).items() if code}
print(json.dumps({"operators": named(s.BuiltinOperator), "options": options}))
`;

const onnx = findPythonWith('onnx');

test.skipIf(onnx.missing)('ONNX: types of tensors, by their numbers', () => {
  const types: [name: string, code: number, bits: number][] = asked(onnx.path!, TYPES_OF_ONNX);
  const known = types.filter(([, code]) => onnxDtype(code).bits > 0);
  expect(known.length).toBeGreaterThanOrEqual(25);
  for (const [name, code, bits] of known) {
    const own = onnxDtype(code);
    expect([code, own.name, own.bits]).toEqual([code, name, bits]);
    const wide = name.replace(/(int)[24]$/, '$18'); // read as codes of 8 bits
    expect([null, wide]).toContain(own.stored);
  }
});

const TYPES_OF_ONNX = `
import onnx, json, re
from onnx.helper import tensor_dtype_to_np_dtype
AS_NUMPY = {"float": "float32", "double": "float64"}
def bits(name, code):
    narrow = re.search(r"int([24])$|^float(4)", name)
    return int(narrow[1] or narrow[2]) if narrow else 8 * tensor_dtype_to_np_dtype(code).itemsize
types = [(AS_NUMPY.get(name.lower(), name.lower()), code) for name, code in onnx.TensorProto.DataType.items() if code and name != 'STRING']
print(json.dumps([[name, code, bits(name, code)] for name, code in types]))
`;
