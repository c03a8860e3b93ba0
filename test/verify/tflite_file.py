"""Writes .tflite files node by node, with the schema that ai-edge-litert ships.

A tensor is an index; `Net` remembers its shape, type, scale and zero point, and says what a reader of the file needs to know.
"""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

f32 = np.float32
TYPES = {"float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9, "resource": 13, "int4": 17}
RANGE = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int4": (-7, 7)}
ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3}
#: where the table of options is not called as the operator is
OPTIONS = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "AVERAGE_POOL_2D": "Pool2D", "MAX_POOL_2D": "Pool2D", "MEAN": "Reducer",
           "SUM": "Reducer", "REDUCE_MAX": "Reducer", "REDUCE_MIN": "Reducer", "BATCH_MATMUL": "BatchMatMul", "L2_NORMALIZATION": "L2Norm", "PADV2": "PadV2", "LSTM": "LSTM", "SVDF": "SVDF",
           "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM"}


def packed(data, dtype):
    """Bytes as a buffer has them; int4: two a byte, the first in the low nibble."""
    if dtype != "int4":
        return np.ascontiguousarray(data, dtype).tobytes()
    nibbles = np.append(np.asarray(data).reshape(-1) & 15, 0)
    nibbles = nibbles[: len(nibbles) // 2 * 2]
    return (nibbles[0::2] | (nibbles[1::2] << 4)).astype(np.uint8).tobytes()


class Net:
    """One subgraph. `others`: further subgraphs of the same file."""

    def __init__(self, seed, dtype="int8", parent=None):
        self.rng, self.dtype, self.parent = np.random.default_rng(seed), dtype, parent
        self.tensors, self.operators, self.inputs, self.outputs, self.subgraphs = [], [], [], [], [self]
        self.shapes, self.types, self.params = [], [], []
        self.buffers, self.codes = ([b""], []) if parent is None else (parent.buffers, parent.codes)
        if parent is not None:
            parent.subgraphs.append(self)

    # ------------------------------------------------------------ tensors

    def tensor(self, shape, dtype=None, scale=None, zero_point=0, data=None, axis=0, name=None, variable=False):
        """Index of a new tensor: a value, or with data a constant."""
        t = schema.TensorT()
        t.shape, t.type, t.buffer, t.isVariable = np.array(shape, np.int32), TYPES[dtype or self.dtype], 0, variable
        t.name = f"t{len(self.tensors)}" if name is None else name
        if data is not None:
            t.buffer = len(self.buffers)
            self.buffers.append(packed(data, dtype or self.dtype))
        if scale is not None:
            t.quantization = schema.QuantizationParametersT()
            t.quantization.scale = np.atleast_1d(np.asarray(scale, f32))
            t.quantization.zeroPoint = np.broadcast_to(np.asarray(zero_point, np.int64), t.quantization.scale.shape).copy()
            t.quantization.quantizedDimension = axis
        self.tensors.append(t)
        self.shapes.append(tuple(shape))
        self.types.append(dtype or self.dtype)
        self.params.append((scale, zero_point))
        return len(self.tensors) - 1

    def ints(self, values):
        return self.tensor(np.shape(values), "int32", data=values)

    def value(self, shape, scale, zero_point=None, dtype=None, name=None):
        """A value of codes; its zero point is drawn unless given, and 0 where codes are int16."""
        dtype = dtype or self.dtype
        lo, hi = RANGE[dtype]
        drawn = 0 if dtype == "int16" else int(self.rng.integers(lo // 2, hi // 2 + 1) if dtype == "int8" else self.rng.integers(90, 160))
        return self.tensor(shape, dtype, float(f32(scale)), drawn if zero_point is None else zero_point, name=name)

    def like(self, x, shape, name=None):
        """A value with x's scale and zero point."""
        return self.tensor(shape, self.types[x], *self.params[x], name=name)

    def input(self, shape, scale=0.02, zero_point=None, dtype=None, name="x"):
        index = self.tensor(shape, "float32", name=name) if dtype == "float32" else self.value(shape, scale, zero_point, dtype, name)
        self.inputs.append(index)
        return index

    # ------------------------------------------------------------ nodes

    def op(self, code, inputs, outputs, version=1, custom=None, intermediates=(), **options):
        o = schema.OperatorT()
        o.opcodeIndex = self.code(code, version, custom)
        o.inputs, o.outputs = np.array(inputs, np.int32), np.array(np.atleast_1d(outputs), np.int32)
        if len(intermediates):
            o.intermediates = np.array(intermediates, np.int32)
        table = OPTIONS.get(code, "".join(word.capitalize() for word in code.split("_"))) + "Options"
        if hasattr(schema, table + "T"):
            o.builtinOptionsType, o.builtinOptions = getattr(schema.BuiltinOptions, table), getattr(schema, table + "T")()
            for key, setting in options.items():
                if not hasattr(o.builtinOptions, key):
                    raise KeyError((code, key))
                setattr(o.builtinOptions, key, setting)
        elif options:
            raise KeyError((code, options))
        self.operators.append(o)
        return outputs

    def code(self, name, version, custom):
        if (name, version, custom) not in self.codes:
            self.codes.append((name, version, custom))
        return self.codes.index((name, version, custom))

    # ------------------------------------------------------------ the file

    def bytes(self):
        model = schema.ModelT()
        model.version, model.description = 3, "written node by node"
        model.buffers = [buffer_of(data) for data in self.buffers]
        model.operatorCodes = [code_of(*code) for code in self.codes]
        model.subgraphs = [subgraph_of(net) for net in self.subgraphs]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def buffer_of(data):
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(data, np.uint8) if data else None
    return buffer


def code_of(name, version, custom):
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version, code.customCode = min(code.builtinCode, 127), version, custom
    return code


def subgraph_of(net):
    graph = schema.SubGraphT()
    graph.name, graph.tensors, graph.operators = "main", net.tensors, net.operators
    graph.inputs, graph.outputs = np.array(net.inputs, np.int32), np.array(net.outputs, np.int32)
    return graph
