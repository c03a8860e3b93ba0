#!/usr/bin/env python3
"""Captures every value of a TFLite model, as one of its runtimes computes it.

    python qdiff_tflite.py MODEL.tflite INPUTS.npz CAPTURE.npz [--kernel xnnpack|builtin|reference|tflm] [--reset]
    python qdiff_tflite.py MODEL.tflite --all-outputs OUT.tflite     the file that gives every value, for a phone or a microcontroller

Needs numpy and one of ai-edge-litert, tflite-runtime, tensorflow; tflm needs tflite_micro besides. Python 3.9 or later.
INPUTS: an npz with an array for each input (its tensor's name, or in0, in1 ...), or one npy for a model of one input; axis 0 is
the samples, each a call, in order: a streaming model keeps its state, and an LSTM or SVDF its variables unless --reset resets them
before each call. Floats for an input of codes are codes where all are whole numbers of
its range; others are quantized with the input's own scale and zero point, and a line says so. Then: qdiff MODEL.tflite CAPTURE.npz

The interpreter lets tensors share memory, so that most values are gone when a call ends. preserve_all_tensors keeps them, but cuts
what a delegate takes into single nodes. Here every tensor is an output of the model: what is delegated, and how, stays. A second,
ordinary interpreter checks the outputs; producer.outputs_changed_by_capturing counts the values that differ.
"""
from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import io
import json
import os
import platform
import re
import signal
import struct
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

# --kernel -> the op resolver that runs it, and qdiff's name of the kernels
KERNELS = {"xnnpack": ("BUILTIN", "xnnpack"), "builtin": ("BUILTIN_WITHOUT_DEFAULT_DELEGATES", "tflite-builtin"),
           "reference": ("BUILTIN_REF", "tflite-reference"), "tflm": ("BUILTIN_WITHOUT_DEFAULT_DELEGATES", "tflm")}
PACKAGES = (("ai-edge-litert", "ai_edge_litert.interpreter"), ("tflite-runtime", "tflite_runtime.interpreter"),
            ("tensorflow", "tensorflow.lite.python.interpreter"))
ARENAS = (1 << 22, 1 << 25, 1 << 28, 1 << 30)  # bytes, tried in turn


class CaptureError(RuntimeError):
    """The model or its inputs cannot be run; the message says which and what to do."""


def capture(model, inputs, path, *, kernel="xnnpack", threads=1, limit=None, reset=False):
    """Writes every value to one npz file; if anything fails, nothing is written. Returns the producer.

    model     path of a .tflite file.
    inputs    {input's name: array}; axis 0 = samples times the input's own first dimension.
    limit     at most this many samples.
    reset     resets the variables of LSTM, SVDF and their kin before each call.
    """
    data = Path(model).read_bytes()
    plain = _Interpreter(data, kernel, threads)
    feeds = _feeds(plain, inputs, limit)
    wide = _Interpreter(with_outputs(data, plain.computed), kernel, threads)
    delegated = [plain.names[index] for index in plain.computed if index in wide.delegated]
    if kernel == "tflm":
        if reset and plain.has_resources:
            raise CaptureError("--reset: TFLite Micro resets resource variables (VAR_HANDLE) too, which LiteRT does not and no replay follows; capture without --reset")
        if any(-1 in tensor["shape_signature"] for tensor in plain.details.values()):
            _same_shapes(plain, wide, next(zip(*feeds)))
        watched, ordinary, delegated = _Micro(with_outputs(data, plain.computed)), _Micro(data), []
    else:
        watched, ordinary = wide, plain
    values, changed = _run(plain, watched, ordinary, feeds, reset)
    producer = {"framework": watched.package, "framework_version": watched.version, "kernel": KERNELS[kernel][1],
                **_machine(), "settings": {"num_threads": 1 if kernel == "tflm" else threads, **({"reset_variables": True} if reset else {})}, "delegated": delegated,
                "outputs_changed_by_capturing": changed}
    if changed:
        print(f"qdiff_tflite: {changed} values of the outputs differ from an ordinary interpreter's", file=sys.stderr)
    _write(Path(path), values, producer)
    print(f"{path}: {len(values)} values, {watched.package} {watched.version}, {KERNELS[kernel][1]}, {len(delegated)} delegated")
    return producer


def _run(plain, watched, ordinary, feeds, reset):
    """({name: array}, how many values of the outputs differ), call by call."""
    names, changed = plain.names, 0
    values = {names[index]: [] for index in [*plain.inputs, *plain.computed]}
    order = {index: position for position, index in enumerate(plain.computed)}
    for call in zip(*feeds):
        for one in (watched, ordinary) if reset else ():
            one.reset()
        got, expected = watched.call(call, len(order)), ordinary.call(call, len(plain.outputs))
        for index, value in zip(plain.inputs, call):
            values[names[index]].append(value)
        for index, value in zip(plain.computed, got):
            shape = plain.shape(index)
            values[names[index]].append(value.reshape(shape) if value.size == np.prod(shape) else value)
        for index, value in zip(plain.outputs, expected):
            changed += _different(got[order[index]], value) if index in order else 0
    return {name: np.concatenate([np.atleast_1d(value) for value in parts]) for name, parts in values.items()}, changed


def _same_shapes(plain, litert, call):
    """Micro runs with the shapes that are in the file, where LiteRT computes them: of [2, 34, 16] it holds the [1, 34, 16] of a batch of None."""
    for index, value in zip(plain.computed, litert.call(call, len(plain.computed))):
        name, shape = plain.names[index], plain.shape(index)
        if value.size != np.prod(shape):
            raise CaptureError(f"tflite_micro runs {name} as {list(shape)}, as the file says, where LiteRT makes it {list(value.shape)}: "
                               "what it computes is of a part; convert the model for a batch of 1, not of None")


def _different(a, b):
    a, b = a.reshape(-1), b.reshape(-1)
    return max(a.size, b.size) if a.dtype != b.dtype or a.size != b.size else int(((a != b) & ~((a != a) & (b != b))).sum())


# ---------------------------------------------------------------- the file: another list of outputs

def with_outputs(data, wanted):
    """The model's bytes with other outputs: a vector behind the end of the file, to which the first subgraph's field then points."""
    data = bytearray(data)

    def field(table, number):
        """Where a table's field lies: its vtable says."""
        vtable = table - struct.unpack_from("<i", data, table)[0]
        size, at = struct.unpack_from("<H", data, vtable)[0], 4 + 2 * number
        offset = struct.unpack_from("<H", data, vtable + at)[0] if at < size else 0
        if offset == 0:
            raise CaptureError("the model's first subgraph lists no outputs")
        return table + offset

    def follow(at):
        return at + struct.unpack_from("<I", data, at)[0]

    try:
        subgraphs = follow(field(follow(0), 2))
        outputs = field(follow(subgraphs + 4), 2)
    except struct.error as error:
        raise CaptureError(f"the model is damaged: {error}") from error
    data += bytes(-len(data) % 16)
    struct.pack_into("<I", data, outputs, len(data) - outputs)
    return bytes(data) + struct.pack(f"<I{len(wanted)}i", len(wanted), *wanted)


# ---------------------------------------------------------------- the runtimes

def _package():
    """(name, version, module) of the first that is installed."""
    for name, module in PACKAGES:
        try:
            found = importlib.import_module(module)
        except ImportError:
            continue
        try:
            return name, importlib.metadata.version(name), found
        except importlib.metadata.PackageNotFoundError:  # built from source, or under another name (tensorflow-cpu)
            return name, getattr(importlib.import_module(module.split(".")[0]), "__version__", "unknown"), found
    raise CaptureError("no TFLite runtime in this Python: python -m pip install ai-edge-litert")


class _Interpreter:
    """An interpreter of TFLite's, and what the file says of its tensors."""

    def __init__(self, data, kernel, threads):
        self.package, self.version, module = _package()
        resolver = getattr(module.OpResolverType, KERNELS[kernel][0])
        try:
            self.interpreter = module.Interpreter(model_content=data, num_threads=threads, experimental_op_resolver_type=resolver)
            tensors = self.interpreter.get_tensor_details()  # before the kernels' own are added
            self.interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise CaptureError(f"{self.package} {self.version} does not run the model: {' '.join(str(error).split())[:300]}") from error
        self.details = {tensor["index"]: tensor for tensor in tensors}
        self.inputs = [tensor["index"] for tensor in self.interpreter.get_input_details()]
        self.outputs = [tensor["index"] for tensor in self.interpreter.get_output_details()]
        self.names = _names(self.details)
        nodes = self.interpreter._get_ops_details()  # private: nothing else tells what a delegate took
        made = lambda keep: [int(index) for node in nodes if keep(node["op_name"]) for index in node["outputs"] if int(index) in self.details]
        self.computed = list(dict.fromkeys(made(lambda op: op not in ("DELEGATE", "VAR_HANDLE"))))
        self.has_resources = any(node["op_name"] == "VAR_HANDLE" for node in nodes)
        self.delegated = set(made(lambda op: op == "DELEGATE"))

    def shape(self, index):
        return tuple(int(extent) for extent in self.details[index]["shape"])

    def call(self, values, _outputs):
        for index, value in zip(self.inputs, values):
            self.interpreter.set_tensor(index, value)
        self.interpreter.invoke()
        return [np.array(self.interpreter.get_tensor(index)) for index in self.outputs]

    def reset(self):
        self.interpreter.reset_all_variables()


class _Micro:
    """TFLite Micro's, which has no names and takes an arena."""

    package = "tflite_micro"

    def __init__(self, data):
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ImportError as error:
            raise CaptureError("--kernel tflm needs tflite_micro: python -m pip install tflite_micro") from error
        self.version = importlib.metadata.version("tflite_micro")
        for size in ARENAS:
            try:
                self.interpreter = runtime.Interpreter.from_bytes(data, arena_size=size)
                return
            except RuntimeError as error:  # too small, or an operator that it does not have
                failed = error
        raise CaptureError(f"tflite_micro {self.version} does not run the model: {' '.join(str(failed).split())[:300]}")

    def call(self, values, outputs):
        for position, value in enumerate(values):
            self.interpreter.set_input(value, position)
        self.interpreter.invoke()
        return [np.array(self.interpreter.get_output(position)) for position in range(outputs)]

    def reset(self):
        self.interpreter.reset()


def _names(details):
    """A tensor's name; NAME#INDEX where it is empty or not unique, which a file may have."""
    uses = Counter(tensor["name"] for tensor in details.values())
    return {index: tensor["name"] if tensor["name"] and uses[tensor["name"]] == 1 else f"{tensor['name']}#{index}"
            for index, tensor in details.items()}


# ---------------------------------------------------------------- inputs

def _feeds(plain, inputs, limit):
    """For each input of the model the arrays of the calls."""
    feeds = []
    for position, index in enumerate(plain.inputs):
        names = (plain.names[index], plain.details[index]["name"], f"in{position}")
        found = next((name for name in names if name in inputs), None)
        if found is None and len(plain.inputs) == len(inputs) == 1:
            found = next(iter(inputs))
        if found is None:
            raise CaptureError(f"inputs: no array {plain.names[index]!r} (or in{position}), but {', '.join(inputs) or 'none'}")
        feeds.append(_samples(plain.details[index], plain.names[index], np.asarray(inputs[found]))[:limit])
    if len({len(feed) for feed in feeds}) != 1 or len(feeds[0]) == 0:
        raise CaptureError(f"inputs: expected as many samples of each, got {', '.join(str(len(feed)) for feed in feeds)}")
    return feeds


def _samples(tensor, name, array):
    """[N*d0, d1, ...] or [N, d0, d1, ...] -> [N, d0, d1, ...], of the tensor's type."""
    shape, dtype = tuple(int(extent) for extent in tensor["shape"]), np.dtype(tensor["dtype"])
    with np.errstate(all="ignore"):
        converted = array.astype(dtype)
    if array.dtype != dtype and not (array.dtype.kind == dtype.kind == "f") and not np.array_equal(converted, array):
        if array.dtype.kind != "f" or dtype.kind not in "iu" or not tensor["quantization"][0] or not np.isfinite(array).all():
            raise CaptureError(f"inputs: {name} is {array.dtype}{_of_what(array)}; the model takes {dtype}{_of_codes(tensor)}")
        converted = _quantized(tensor, name, array)
    joined = bool(shape) and array.shape[1:] == shape[1:] and len(array) % shape[0] == 0
    if not joined and array.shape[1:] != shape:
        raise CaptureError(f"inputs: {name} is {list(array.shape)}; the model takes {list(shape)} a call")
    return np.ascontiguousarray(converted).reshape((-1, *shape))


def _of_what(array):
    return " with values that are not finite" if array.dtype.kind == "f" and not np.isfinite(array).all() else ""


def _of_codes(tensor):
    scale, zero_point = tensor["quantization"]
    return f" of scale {scale}, zero point {zero_point}: give those, or floats" if scale else ""


def _quantized(tensor, name, array):
    """As QUANTIZE of the reference kernels: divided in float32, halves away from zero."""
    (scale, zero_point), limits = tensor["quantization"], np.iinfo(tensor["dtype"])
    steps = array.astype(np.float32) / np.float32(scale)
    codes = np.trunc(steps + np.copysign(0.5, steps.astype(np.float64))) + zero_point
    beyond = int(((codes < limits.min) | (codes > limits.max)).sum())
    cut = f"; {beyond} of {codes.size} are beyond its range and are clamped" if beyond else ""
    print(f"qdiff_tflite: inputs: {name} is {array.dtype}; quantized with the model's scale {scale}, zero point {zero_point}{cut}", file=sys.stderr)
    return np.clip(codes, limits.min, limits.max).astype(tensor["dtype"])


# ---------------------------------------------------------------- the machine, and the files

def _machine():
    arch, flags = platform.machine(), _cpu_flags()
    if arch.lower() in ("aarch64", "arm64"):
        return {"arch": arch, "cpu_capability": "NEON"}
    ladder = (("AVX512-VNNI", "avx512_vnni"), ("AVX512", "avx512f"), ("AVX2", "avx2"), ("AVX", "avx"), ("SSE4.1", "sse4_1"))
    found = next((name for name, flag in ladder if flag in (flags or ())), None)
    facts = {name: name in flags for name in ("avx512_vnni", "avx_vnni")} if flags else {}
    return {"arch": arch, **({"cpu_capability": found} if found else {}), **facts}


def _cpu_flags():
    """The first processor's, as Linux names them. An emulator shows its host's there: numpy asks the processor. None: unknown."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return None
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    if not found:
        return None
    flags = set(found.group(1).split())
    try:
        from numpy._core._multiarray_umath import __cpu_features__ as asked
    except ImportError:
        return flags
    for feature, names in (("AVX", ("avx",)), ("AVX2", ("avx2", "avx_vnni")), ("AVX512F", ("avx512f", "avx512_vnni"))):
        if asked.get(feature) is False and "NPY_DISABLE_CPU_FEATURES" not in os.environ:
            flags.difference_update(names)
    return flags


def _replace(path, write):
    """What write(path) writes, as a whole or not at all."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        write(unfinished)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _write(path, values, producer):
    """npz, whatever the names (numpy's own savez takes none called "file"); the same bytes for the same values."""
    if "producer" in values:
        print("qdiff_tflite: the tensor called producer is left out: the name means something else in a capture", file=sys.stderr)
    arrays = {**values, "producer": np.frombuffer(json.dumps(producer).encode(), np.uint8)}

    def write(target):
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
                entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, array.nbytes + 4096
                with archive.open(entry, "w") as file:
                    np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)

    _replace(path, write)


def write_all_outputs(model, path):
    """Writes the model with every tensor as an output, and prints their order."""
    data = Path(model).read_bytes()
    plain = _Interpreter(data, "builtin", 1)
    _replace(Path(path), lambda target: target.write_bytes(with_outputs(data, plain.computed)))
    total = 0
    for position, index in enumerate(plain.computed):
        dtype = np.dtype(plain.details[index]["dtype"])
        total += int(np.prod(plain.shape(index))) * dtype.itemsize
        print(f"{position:4d} {dtype}{list(plain.shape(index))} {plain.names[index]}")
    print(f"{path}: {len(plain.computed)} outputs, {total} bytes a call; none shares memory any more, so an arena grows by about that")


# ---------------------------------------------------------------- the command line

def _load_inputs(path):
    try:
        with open(path, "rb") as file:
            loaded = np.load(io.BytesIO(file.read()), allow_pickle=False)
            return dict(loaded.items()) if isinstance(loaded, np.lib.npyio.NpzFile) else {"": loaded}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CaptureError(f"{path}: expected an npz or npy file of numbers: {error}") from error


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return int(text)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="qdiff_tflite.py", description="Writes every value of a TFLite model to capture.npz, for qdiff.")
    parser.add_argument("model", metavar="MODEL.tflite")
    parser.add_argument("inputs", metavar="INPUTS.npz", nargs="?", help="an array for each input, or one npy for a model of one")
    parser.add_argument("capture", metavar="CAPTURE.npz", nargs="?")
    parser.add_argument("--all-outputs", metavar="OUT.tflite", help="write the model with every tensor as an output, and run nothing")
    parser.add_argument("--kernel", default="xnnpack", choices=list(KERNELS), help="the runtime (default xnnpack)")
    parser.add_argument("--threads", type=_positive, default=1, metavar="N", help="num_threads (default 1)")
    parser.add_argument("--reset", action="store_true", help="reset the variables of LSTM, SVDF and their kin before each call")
    parser.add_argument("--limit", type=_positive, metavar="N", help="at most N samples")
    options = parser.parse_args(argv)
    if not options.all_outputs and options.capture is None:
        parser.error("expected MODEL.tflite INPUTS.npz CAPTURE.npz, or MODEL.tflite --all-outputs OUT.tflite")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that unfinished files go
    try:
        if options.all_outputs:
            write_all_outputs(options.model, options.all_outputs)
        else:
            capture(options.model, _load_inputs(options.inputs), options.capture, kernel=options.kernel, threads=options.threads,
                    limit=options.limit, reset=options.reset)
    except KeyboardInterrupt:
        return 130
    except (CaptureError, OSError) as error:
        print(f"qdiff_tflite: {error}", file=sys.stderr)
        return 2
    except (RuntimeError, ValueError) as error:  # of the interpreter
        print(f"qdiff_tflite: {options.model}: {' '.join(str(error).split())[:400]}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
