#!/usr/bin/env python3
"""Captures every value of an ONNX model, as ONNX Runtime computes it.

    python qdiff_onnx.py MODEL.onnx INPUTS.npz CAPTURE.npz [--level extended|basic|none] [--set session.key=value]...

Needs onnx, onnxruntime and numpy; Python 3.9 or later. INPUTS: an npz with an array for each graph input, or one npy for
a model of one input. Then: qdiff MODEL.onnx CAPTURE.npz

Tensors that are added to a model's outputs are read by someone: ONNX Runtime no longer fuses across them, and other kernels
run. So ONNX Runtime first optimizes the model and saves what it will run, kernels by name; the tensors of that graph become
outputs, it runs with optimizations off, and each value gets the name that it has in the model. An ordinary session checks the
outputs; producer.outputs_changed_by_capturing counts the values that differ. Tensors that the optimizer removed have no values.
Where it moved a Transpose, tensors in between have their axes in another order: they get the model's, which a run without any
optimization tells.
"""
from __future__ import annotations

import argparse
import functools
import heapq
import io
import itertools
import json
import os
import platform
import re
import shutil
import signal
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

LEVELS = {"all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL, "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
          "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC, "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL}
DEFAULT_DOMAINS = ("", "ai.onnx")
CARRIED = "_q_to_dq"  # how the optimizer names the codes of a tensor
CARRIES = ("MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice")
KEEPS_TYPE = ("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Gather", "Expand", "Tile", "Pad", "Identity", "Concat",
              "DepthToSpace", "SpaceToDepth", "MaxPool", "Resize", "Upsample", "ReduceMax", "ReduceMin", "Relu", "Clip", "Max", "Min")


class CaptureError(RuntimeError):
    """The model or its inputs cannot be run; the message says which and what to do."""


def capture(model, inputs, path, *, level="extended", settings=(), threads=1, limit=None):
    """Writes every value to one npz file; if anything fails, nothing is written. Returns the producer.

    model     path of a .onnx file; external data lie beside it.
    inputs    {graph input: array}; axis 0 is the samples. A model whose batch is fixed is called as often as needed.
    level     how far the graph is optimized: extended (the kernels of a default session), basic or none.
    settings  pairs of session.* configuration entries.
    limit     at most this many samples.
    """
    with tempfile.TemporaryDirectory(prefix="qdiff-onnx-") as folder:
        graph = _Graph(Path(model), Path(folder))
        session = _session(graph.named, level, settings, threads, save=graph.optimized)
        calls = _calls(session, inputs, limit)
        del session
        results = _run_all(graph, calls, settings, threads)
        changed = _changed(graph, level, settings, threads, calls, results)
        results = [graph.named_as_in_the_model(result) for result in results]
        orders = _orders(graph, settings, threads, calls[0], results[0])
    if changed:
        print(f"qdiff_onnx: {changed} values of the outputs differ from an ordinary session's, which lays tensors out otherwise",
              file=sys.stderr)
    producer = _producer(level, settings, threads, changed)
    arrays = {**_joined(calls), **_joined([_turned(result, orders) for result in results])}
    if len(calls) > 1:
        arrays["batch_sizes"] = np.array([_samples(call) for call in calls], np.int64)
    _write(Path(path), arrays, producer)
    lost = [name for name in graph.tensors if name in graph.computed and name not in arrays]
    print(f"{path}: {len(arrays)} arrays, onnxruntime {ort.__version__}, level {level}; {len(lost)} tensors do not exist at run time")
    return producer


# ---------------------------------------------------------------- the graph that runs, and what its tensors are called

class _Graph:
    """The model with node names that survive fusion (the first tensor that a node computes), and the graph it becomes."""

    def __init__(self, path, folder):
        self.path = path
        self.proto = onnx.load(str(path), load_external_data=False)
        self.folder = _beside_its_data(self.proto, path, folder)
        _sort(self.proto.graph)
        self.nodes = {}
        for index, node in enumerate(self.proto.graph.node):
            node.name = f"qdiff{index}"
            self.nodes[node.name] = node
        self.tensors = {out: node for node in self.nodes.values() for out in node.output if out}
        self.readers = {}
        for node in self.nodes.values():
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.named, self.optimized, self.wide = (str(self.folder / f"{name}.onnx") for name in ("named", "optimized", "wide"))
        onnx.save(self.proto, self.named)

    def widen(self):
        """Makes every tensor of the optimized graph an output."""
        self.fused = onnx.load(self.optimized, load_external_data=False)
        have = {value.name for value in self.fused.graph.output}
        for node in self.fused.graph.node:
            for name in node.output:
                if name and name not in have:
                    self.fused.graph.output.append(onnx.ValueInfoProto(name=name))
                    have.add(name)
        self.fused_scales = _scales_behind(self.fused.graph)
        onnx.save(self.fused, self.wide)

    def named_as_in_the_model(self, values):
        """The values of the fused graph by the model's names; those of tensors that the optimizer invented are left out."""
        named, renamed = {}, {}
        for node in self.fused.graph.node:
            origin = self.nodes.get(re.sub(r"(_token_\d+)+$", "", node.name))
            for position, name in enumerate(node.output):
                if name not in values:
                    continue
                target = name if name in self.tensors or origin is None else self.computed_by(origin, position, values[name], node)
                meant, ran = self.scales.get(target), self.fused_scales.get(name)
                if values[name].dtype.kind == "f" and ran not in (None, "", meant) and meant != "":
                    continue  # the optimizer quantizes before what moves it: codes as reals
                if name in self.tensors:
                    named[name] = self.in_its_type(name, values[name])
                elif origin is not None:
                    renamed[target] = self.in_its_type(target, values[name])
        every = {**renamed, **named}
        own = {name: every[name] for name in self.tensors if name in self.computed and every.get(name) is not None}
        return {**own, **self.carried(values)}

    def carried(self, values):
        """Codes of tensors that are floats in the model: the optimizer carried a conversion over what only moves them."""
        codes, behind = {}, self.behind_transposes()
        for name, value in values.items():
            base = name[:-len(CARRIED)] if name.endswith(CARRIED) and name not in self.tensors else None
            quantize = self.conversion_of(base) if base in self.tensors and base not in behind else None
            if quantize is not None:
                codes[name] = _as_type(value, self.dtype_of_codes(quantize))
        return {name: value for name, value in codes.items() if value is not None}

    def conversion_of(self, tensor):
        """The QuantizeLinear behind what moves a tensor, or the one before the DequantizeLinear from which it was moved here."""
        at = tensor
        while True:
            behind = [reader for reader in self.readers.get(at, []) if reader.input[0] == at]
            quantize = next((reader for reader in behind if reader.op_type == "QuantizeLinear"), None)
            if quantize is not None:
                return quantize
            if len(behind) != 1 or behind[0].op_type not in CARRIES:
                break
            at = behind[0].output[0]
        node = self.tensors.get(self.origins.get(tensor, tensor))
        before = self.tensors.get(node.input[0]) if node is not None and node.op_type == "DequantizeLinear" else None
        return before if before is not None and before.op_type == "QuantizeLinear" else None

    @functools.cached_property  # asked for each tensor: in 5,000 nodes 30 s went into it
    def computed(self):
        """Names of the tensors that follow from the inputs: the others are constants."""
        constants = {tensor.name for tensor in self.proto.graph.initializer}
        known = {value.name for value in self.proto.graph.input} - constants
        for node in self.nodes.values():
            if any(name in known for name in node.input) or not node.input and node.op_type != "Constant":
                known.update(node.output)
        return known

    def behind_transposes(self):
        behind = set()
        for node in self.nodes.values():
            if node.op_type == "Transpose" or any(name in behind for name in node.input):
                behind.update(node.output)
        return behind

    def computed_by(self, node, position, value, fused):
        """What a fused node computes, of which the optimizer kept the first node's name: codes are those of the Q behind it."""
        own = node.output[min(position, len(node.output) - 1)]
        activation = next((a.s.decode() for a in fused.attribute if a.name == "activation"), None)
        if value.dtype.kind == "f" and fused.op_type.startswith("Fused") and activation:
            return next((reader.output[0] for reader in self.readers.get(own, []) if reader.op_type == activation), None)
        if value.dtype.kind == "f" or node.op_type == "QuantizeLinear":
            return own
        at = own
        while True:
            behind = [reader for reader in self.readers.get(at, []) if reader.input[0] == at]
            quantize = next((reader for reader in behind if reader.op_type == "QuantizeLinear"), None)
            if quantize is not None:
                return quantize.output[0]
            if len(behind) != 1 or behind[0].op_type not in ("Relu", "Clip", "Add") or behind[0].domain not in DEFAULT_DOMAINS:
                return at
            at = behind[0].output[0]

    def in_its_type(self, name, value):
        """None where the optimizer computes something else under this name. int8 activations run as uint8, all codes + 128."""
        dtype = self.dtype_of_codes(self.tensors[name])
        if dtype is None and value.dtype in (np.int8, np.uint8, np.int16, np.uint16) and self.is_float(name):
            return None
        return value if dtype is None else _as_type(value, dtype)

    @functools.cached_property
    def origins(self):
        return _origins(self.proto.graph)

    @functools.cached_property
    def scales(self):
        return _scales_behind(self.proto.graph)

    def is_float(self, name):
        """Whether the model has floats here, where the optimizer moves codes instead."""
        at = self.origins.get(name, name)
        node = self.tensors.get(at)
        if node is not None and node.op_type != "Constant":
            return not re.match(r"(Dynamic)?Q|Cast$|.*Integer", node.op_type)
        return self.element_types.get(at) == onnx.TensorProto.FLOAT

    def dtype_of_codes(self, node):
        """Of QuantizeLinear: its zero point's type, or output_dtype, or uint8. None: another operator, or not known."""
        if node.op_type != "QuantizeLinear":
            return None
        element = next((attribute.i for attribute in node.attribute if attribute.name == "output_dtype" and attribute.i), None)
        if element is None and len(node.input) > 2 and node.input[2]:
            element = self.element_types.get(node.input[2])
            if element is None:
                return None
        return onnx.helper.tensor_dtype_to_np_dtype(element or onnx.TensorProto.UINT8)

    @functools.cached_property
    def element_types(self):
        constants = {value.name: value.type.tensor_type.elem_type for value in self.proto.graph.input}
        constants.update({tensor.name: tensor.data_type for tensor in self.proto.graph.initializer})
        for node in self.nodes.values():
            constants.update({node.output[0]: a.t.data_type for a in node.attribute if node.op_type == "Constant" and a.name == "value"})
            if node.op_type == "Identity" and node.input[0] in constants:  # PyTorch's exporter: one initializer, several names
                constants[node.output[0]] = constants[node.input[0]]
        return constants


def _as_type(value, dtype):
    """int8 that runs as uint8 has all codes + 128; None: other codes than the model's."""
    if dtype == value.dtype:
        return value
    return (value ^ 128).view(np.int8) if (dtype, value.dtype) == (np.int8, np.uint8) else None


def _origins(graph):
    """{tensor: the one that comes here through what only moves values}"""
    origins = {}
    for node in graph.node:  # sorted
        for name in node.output:
            origins[name] = origins.get(node.input[0], node.input[0]) if node.op_type in KEEPS_TYPE else name
    return origins


def _sort(graph):
    """Each node behind those that it reads, which onnxruntime does for itself: float16 conversion leaves them in any order."""
    waiting, made_by = list(graph.node), {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    missing = [{made_by[name] for name in node.input if name in made_by} for node in waiting]
    readers = {}
    for index, makers in enumerate(missing):
        for maker in makers:
            readers.setdefault(maker, []).append(index)
    ready, order = [index for index, makers in enumerate(missing) if not makers], []
    heapq.heapify(ready)
    while ready:
        order.append(heapq.heappop(ready))
        for reader in readers.get(order[-1], []):
            missing[reader].discard(order[-1])
            if not missing[reader]:
                heapq.heappush(ready, reader)
    if len(order) == len(waiting) and order != sorted(order):
        ordered = [onnx.NodeProto.FromString(waiting[index].SerializeToString()) for index in order]
        del graph.node[:]
        graph.node.extend(ordered)


def _scales(graph):
    """Constants of one number, by name."""
    nodes = {node.output[0]: a.t for node in graph.node if node.op_type == "Constant" for a in node.attribute if a.name == "value"}
    tensors = {**nodes, **{tensor.name: tensor for tensor in graph.initializer}}
    for node in graph.node:  # sorted
        if node.op_type == "Identity" and node.input[0] in tensors:
            tensors[node.output[0]] = tensors[node.input[0]]
    return {name: onnx.numpy_helper.to_array(tensor).item() for name, tensor in tensors.items()
            if tensor.data_type == onnx.TensorProto.FLOAT and list(tensor.dims) in ([], [1]) and not tensor.external_data}


def _scales_behind(graph):
    """{tensor: the scale that dequantized what is moved here}; "" where the scale is not known, no entry where nothing did."""
    scales = _scales(graph)
    dequantized = {node.output[0]: scales.get(node.input[1], "") for node in graph.node if node.op_type == "DequantizeLinear"}
    return {name: dequantized[origin] for name, origin in _origins(graph).items() if origin in dequantized}


def _beside_its_data(proto, path, folder):
    """A folder where ONNX Runtime finds the external data, which must lie under the model's folder and be no symbolic link."""
    tensors = [tensor for tensor in proto.graph.initializer if tensor.external_data]
    for location in sorted({entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"}):
        source, target = path.parent / location, folder / location
        if os.path.isabs(location) or ".." in Path(location).parts:
            raise CaptureError(f"{path}: external data at {location!r}: expected a file in the model's own folder")
        if not source.is_file():
            raise CaptureError(f"{path}: external data at {location!r}: there is no such file beside the model")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(os.path.realpath(source), target)
        except OSError:  # another disk
            shutil.copyfile(source, target)
    return folder


# ---------------------------------------------------------------- running

def _session(path, level, settings, threads, save=None):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    options.graph_optimization_level = LEVELS[level]
    for key, value in settings:
        options.add_session_config_entry(key, value)
    if save:
        options.optimized_model_filepath = save
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


_NUMPY_TYPES = {"float": np.float32, "double": np.float64, "float16": np.float16, "bool": np.bool_,
                **{f"{sign}int{bits}": getattr(np, f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)}}


def _dtype(kind):
    """numpy's type for "tensor(float)"; None for strings, sequences, and types that numpy lacks."""
    return _NUMPY_TYPES.get(kind[len("tensor("):-1]) if kind.startswith("tensor(") else None


def _calls(session, inputs, limit):
    """The feeds of each call."""
    wanted = session.get_inputs()
    if len(wanted) == 1 and len(inputs) == 1:
        inputs = {wanted[0].name: next(iter(inputs.values()))}
    missing = [value.name for value in wanted if value.name not in inputs]
    if missing:
        raise CaptureError(f"inputs: the graph needs {', '.join(value.name for value in wanted)}; there is no array {', '.join(missing)}, "
                           f"but {', '.join(inputs) or 'none'}")
    feeds = {value.name: _feed(value, np.asarray(inputs[value.name])) for value in wanted}
    counts = {}
    for value in wanted:
        array = feeds[value.name]
        if array.ndim and limit is not None:
            array = feeds[value.name] = array[:limit]
        if array.ndim and isinstance(value.shape[0], int) and len(array) != value.shape[0]:
            if value.shape[0] < 1 or len(array) % value.shape[0]:
                raise CaptureError(f"inputs: {value.name} has {len(array)} samples; the graph takes {value.shape[0]} a call")
            counts[value.name] = len(array) // value.shape[0]
    number = max(counts.values(), default=1)
    for value in wanted:  # in a graph called several times the others have as many parts, if they have a batch axis at all
        array = feeds[value.name]
        if number > 1 and array.ndim and counts.get(value.name, 1) != number and len(array) % number:
            raise CaptureError(f"inputs: {value.name} has {len(array)} samples, which {number} calls cannot share")
    return [{name: array[k * (len(array) // number):(k + 1) * (len(array) // number)] if array.ndim and number > 1 else array
             for name, array in feeds.items()} for k in range(number)]


def _feed(value, array):
    dtype = _dtype(value.type)
    if dtype is None:
        raise CaptureError(f"inputs: {value.name} is a {value.type}, which an npz cannot hold")
    with np.errstate(all="ignore"):
        converted = array.astype(dtype)
    same = array.dtype == dtype or (array.dtype.kind == "f" and converted.dtype.kind == "f")
    if not same and not np.array_equal(converted, array):
        raise CaptureError(f"inputs: {value.name} is {array.dtype}; the graph takes {np.dtype(dtype)}")
    shape = list(value.shape)
    fits = array.ndim == len(shape) and all(not isinstance(want, int) or want == have for want, have in zip(shape[1:], array.shape[1:]))
    if not fits:
        raise CaptureError(f"inputs: {value.name} is {list(array.shape)}; the graph takes {[d if isinstance(d, int) else '?' for d in shape]}")
    return np.ascontiguousarray(converted) if array.ndim else converted


def _samples(call):
    return next((len(array) for array in call.values() if array.ndim), 1)


def _joined(calls):
    """The arrays of all calls, one behind the other along axis 0."""
    join = lambda arrays: arrays[0] if len(arrays) == 1 else np.concatenate([np.atleast_1d(array) for array in arrays])
    return {name: join([call[name] for call in calls]) for name in calls[0]}


def _run_all(graph, calls, settings, threads):
    """The tensors of the fused graph, a dictionary a call."""
    graph.widen()
    session = _session(graph.wide, "none", settings, threads)
    names = [value.name for value in session.get_outputs() if _dtype(value.type) is not None]
    return [dict(zip(names, session.run(names, call))) for call in calls]


def _changed(graph, level, settings, threads, calls, results):
    """How many values of the outputs an ordinary session computes otherwise: bits, but any NaN is as good as another."""
    session = _session(graph.path, level if level in ("none", "basic") else "all", settings, threads)
    outputs = [value.name for value in graph.proto.graph.output if value.name in results[0]]
    ordinary = [session.run(outputs, call) for call in calls]
    return sum(_different(value, result[name]) for values, result in zip(ordinary, results) for name, value in zip(outputs, values))


def _different(a, b):
    if a.dtype != b.dtype or a.shape != b.shape:
        return max(a.size, b.size, 1)
    nan = (a != a) & (b != b)
    return int(((a != b) & ~nan).sum())


# ---------------------------------------------------------------- axes that the optimizer turned

def _orders(graph, settings, threads, call, result):
    """{tensor: how its axes become the model's; None: in no order}, of those behind a Transpose, which the optimizer may have moved."""
    behind = graph.behind_transposes() & set(result)
    if not behind:
        return {}
    wide = onnx.load(graph.named, load_external_data=False)
    have = {value.name for value in wide.graph.output}
    wide.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(behind - have))
    onnx.save(wide, graph.wide)
    names = sorted(behind)
    plain = dict(zip(names, _session(graph.wide, "none", settings, threads).run(names, call)))
    orders = {name: _order(result[name], plain[name]) for name in names}
    return {name: order for name, order in orders.items() if order is None or list(order) != sorted(order)}


def _order(value, plain):
    """Fused or not, values are nearly the same: of the orders that have the shape it is the one that leaves the least difference."""
    if value.ndim != plain.ndim or value.size != plain.size:
        return None
    orders, seen = [], set()
    for order in itertools.permutations(range(value.ndim)):
        moved = tuple(axis for axis in order if value.shape[axis] > 1)
        if tuple(value.shape[axis] for axis in order) == plain.shape and moved not in seen:
            orders.append(order)
            seen.add(moved)
    if len(orders) < 2:
        return orders[0] if orders else None
    with np.errstate(all="ignore"):
        return min(orders, key=lambda order: np.nan_to_num(np.abs(np.subtract(value.transpose(order), plain, dtype=np.float64))).sum())


def _turned(result, orders):
    return {name: value.transpose(orders[name]) if name in orders else value
            for name, value in result.items() if orders.get(name, ()) is not None}


# ---------------------------------------------------------------- the machine, and the file

_ENVIRONMENT = ("ORT_DISABLE_ALL_OPTIMIZATIONS", "OMP_NUM_THREADS")


def _producer(level, settings, threads, changed):
    arch = platform.machine()
    flags = _cpu_flags()
    producer = {"framework": "onnxruntime", "framework_version": ort.__version__,
                "kernel": "ort-arm" if arch.lower() in ("aarch64", "arm64") and flags is not None and "asimddp" not in flags else "ort",
                "arch": arch, "threads": threads}
    if flags is not None and arch.lower() in ("x86_64", "amd64"):
        ladder = (("AVX512", "avx512f"), ("AVX2", "avx2"), ("AVX", "avx"), ("SSE4.1", "sse4_1"))
        producer["cpu_capability"] = next((name for name, flag in ladder if flag in flags), "SSE2")
        producer["avx512"] = "avx512f" in flags
        producer.update({name: name in flags for name in ("avx512_vnni", "avx_vnni", "amx_int8")})
    producer["settings"] = {"graph_optimization_level": level, "intra_op_num_threads": threads, **dict(settings)}
    producer["delegated"] = []
    producer["environment"] = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    producer["outputs_changed_by_capturing"] = changed
    return producer


def _cpu_flags():
    """The first processor's, as Linux names them. An emulator shows its host's there: numpy asks the processor. None: unknown."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return None
    found = next((line.split(":", 1)[1].split() for line in lines if re.match(r"(flags|Features)\s*:", line)), None)
    if found is None:
        return None
    flags = set(found)
    try:
        from numpy._core._multiarray_umath import __cpu_features__ as asked
    except ImportError:
        return flags
    # numpy takes AVX512's parts together: without its foundation there are none of them
    for feature, names in (("AVX2", ("avx2", "avx_vnni", "amx_int8")), ("AVX512F", ("avx512f", "avx512_vnni", "amx_int8"))):
        if asked.get(feature) is False and "NPY_DISABLE_CPU_FEATURES" not in os.environ:
            flags.difference_update(names)
    return flags


def _write(path, arrays, producer):
    """npz, whatever the names (numpy's own savez takes none called "file"); the same bytes for the same values."""
    clash = {"producer", "batch_sizes"} & set(arrays) - {"batch_sizes"}
    if clash:
        print(f"qdiff_onnx: a tensor called {', '.join(clash)} is left out: the name means something else in a capture", file=sys.stderr)
    everything = {**arrays, "producer": np.frombuffer(json.dumps(producer).encode(), np.uint8)}
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in everything.items():
                entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
                entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, array.nbytes + 4096
                with archive.open(entry, "w") as file:
                    np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


# ---------------------------------------------------------------- the command line

def _load_inputs(path):
    try:
        with open(path, "rb") as file:
            loaded = np.load(io.BytesIO(file.read()), allow_pickle=False)
            return dict(loaded.items()) if isinstance(loaded, np.lib.npyio.NpzFile) else {"": loaded}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CaptureError(f"{path}: expected an npz or npy file of numbers: {error}") from error


def _setting(text):
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"expected session.key=value, got {text}")
    return key, value


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return int(text)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="qdiff_onnx.py", description="Writes every value of an ONNX model to capture.npz, for qdiff.")
    parser.add_argument("model", metavar="MODEL.onnx")
    parser.add_argument("inputs", metavar="INPUTS.npz", help="an array for each graph input, or one npy for a model of one")
    parser.add_argument("capture", metavar="CAPTURE.npz")
    parser.add_argument("--level", default="extended", choices=("extended", "basic", "none"), help="graph optimization (default extended)")
    parser.add_argument("--set", action="append", default=[], type=_setting, metavar="KEY=VALUE", help="a session.* entry (repeatable)")
    parser.add_argument("--threads", type=_positive, default=1, metavar="N", help="intra_op_num_threads (default 1)")
    parser.add_argument("--limit", type=_positive, metavar="N", help="at most N samples")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary files go
    try:
        capture(options.model, _load_inputs(options.inputs), options.capture, level=options.level, settings=options.set,
                threads=options.threads, limit=options.limit)
    except KeyboardInterrupt:
        return 130
    except CaptureError as error:
        return _refuse(error)
    except Exception as error:  # of onnx and onnxruntime, which have no common type
        said = re.sub(r"\S*qdiff-onnx-\w+[/\\]\w+\.onnx", "it", " ".join(str(error).split()))  # of copies that are gone
        return _refuse(f"{options.model}: {said[:400] or type(error).__name__}")
    return 0


def _refuse(message):
    print(f"qdiff_onnx: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
