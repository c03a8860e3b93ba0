#!/usr/bin/env python3
"""From a quantized PyTorch model to the two files that qdiff reads.

    import qdiff_export
    qdiff_export.export(model_int8, inputs, "out")      # out/model.json, out/capture.npz (and out/model.npz if large)

    python qdiff_export.py --model model.pth --inputs x.npy --out out --import train.py

Needs torch and numpy, nothing else; Python 3.9 or later. The model runs as it is, on the CPU: it is watched, never
changed. capture(model, inputs, "capture.npz") writes only the values, for a second machine.

Flows: eager, FX and dynamic models (torch.ao.quantization) run under a dispatch mode that sees every operator; graphs of
convert_pt2e run node by node. What qdiff does not replay is exported with its values, and a warning names it.

The file follows the data: the model, the calls, what is recorded, two ways to watch, parameters, machine, files, command line.
"""
from __future__ import annotations

import argparse
import ast
import contextlib
import fnmatch
import hashlib
import importlib.util
import inspect
import json
import math
import operator
import os
import platform
import re
import shutil
import sys
import tempfile
import traceback
import types
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

__all__ = ["export", "capture", "ExportError"]

TESTED_TORCH = "2.13"

# A model of up to so many numbers is written into model.json itself; a larger one into model.npz.
INLINE_NUMBERS = 4096


class ExportError(RuntimeError):
    """The model or its inputs cannot be exported; the message names the module and what to do."""


def export(model, inputs, out, *, select=None, limit=None, lowered=False):
    """Runs the model on the inputs; writes out/model.json, out/capture.npz and, for a large model, out/model.npz.

    model    a converted module (torch.ao.quantization.convert, convert_fx, quantize_dynamic, convert_pt2e),
             or a torch.export.ExportedProgram of one.
    inputs   a tensor or numpy array (one call), a tuple (the call's positional arguments), a dict (its keyword
             arguments), or a DataLoader or other iterable of these (one call each; what forward does not require,
             like the labels of (x, y), is dropped). The first axis is the samples.
    out      a folder, made if missing. If anything fails, nothing is written.
    select   names of the layers to record, or patterns ("encoder.*"), one or a list; default all.
    limit    at most this many samples (first axis); the last call is cut to fit.
    lowered  for graphs of convert_pt2e: each linear runs as onednn.qlinear_pointwise, as torch.compile lowers it on
             x86, in place of dequantize, float linear, quantize. Of what follows, ReLU and quantize are fused.

    Memory: the weights, and the values of one call. Returns the folder as a pathlib.Path. Raises ExportError.
    """
    return _export(model, inputs, Path(out), ("capture.npz", "model.npz", "model.json"), select, limit, lowered)


def _export(model, inputs, out, names, select, limit, lowered):
    """names: of the capture, the model's numbers, the model; in the order in which they are put in place."""
    with _recorded(model, inputs, out, select, limit, lowered) as (recording, flow, scratch):
        made = [_write_capture(recording, scratch), *_write_model(recording, _producer(flow), scratch, names[1])]
        out.mkdir(parents=True, exist_ok=True)
        for name, file in zip(names, made):
            if file is not None:
                os.replace(file, out / name)
            else:
                with contextlib.suppress(FileNotFoundError):
                    (out / name).unlink()  # an earlier, larger model's
    print(f"qdiff_export: {len(recording.layers)} layers, {sum(recording.batch_sizes)} samples")
    print(f"next: qdiff {out / names[2]} {out / names[0]}")
    return out


def capture(model, inputs, path, *, like=None, select=None, limit=None, lowered=False):
    """Only the values, to one npz file: the same model and inputs on a second machine. Arguments as in export.

    like     a model.json: model is a float one of the same layers (fake-quantized, QAT before convert, a simulation such as
             QuantSim), and the file is a candidate for `qdiff model.json capture.npz --candidate`. The module of a layer's
             name gives its value, a fused activation (model.json's "identity" after it) the last of the two; every value is
             written as the codes nearest to it, by the scale and zero point that model.json declares. select is not needed.
    """
    path = Path(path)
    if like is not None:
        return _capture_like(model, inputs, path, like, limit)
    with _recorded(model, inputs, path.parent, select, limit, lowered) as (recording, flow, scratch):
        written = _write_capture(recording, scratch, _producer(flow))
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(written, path)
    return path


def _capture_like(model, inputs, path, like, limit):
    if not isinstance(model, torch.nn.Module):
        raise ExportError(f"expected a torch.nn.Module, got {type(model).__name__}")
    try:
        declared = json.loads(Path(like).read_text(encoding="utf-8"))
        sources, arrays = declared["inputs"], {}
        if declared.get("arrays"):
            arrays = np.load(Path(like).parent / declared["arrays"])
        plain = lambda field: np.asarray(arrays[field["array"]]) if isinstance(field, dict) and "array" in field else field
        layers = [{key: plain(field) for key, field in layer.items()} for layer in declared["layers"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{like}: expected a model.json of qdiff: {error}") from error
    wanted = _Like(model, layers)
    written, sizes = {}, []
    with wanted.as_trained():
        for args, kwargs, samples in _calls(model, inputs, limit):
            values = wanted.of_call(args, kwargs)
            arguments = dict(_named_arguments(model, args, kwargs))
            values.update({entry["name"]: (arguments[entry["name"]], entry) for entry in sources if entry["name"] in arguments})
            sizes.append(samples)
            for name, (tensor, params) in values.items():
                written.setdefault(name, []).append(_codes_of(name, tensor, params))
    found = {name: np.concatenate(parts) for name, parts in written.items() if len(parts) == len(sizes)}
    if not set(found) & set(wanted.params):
        raise ExportError(f"like={like}: no module of the model has the name of a layer with known parameters: {_listed(list(wanted.params), 10)}")
    missing = [name for name in wanted.params if name not in found]
    if missing:
        _warn(f"the model has no module of these names, whose values are left out: {_listed(missing, 10)}")
    found["batch_sizes"] = np.array(sizes, np.int64)
    computed, numbers = wanted.as_layers()
    head = {"format": "qdiff-model", "version": 1, "producer": _producer("pt2e-reference"), "inputs": sources, "constants": declared.get("constants", [])}
    constants = [{key: plain(field) for key, field in constant.items()} for constant in head["constants"]]
    head["constants"] = [{key: field.tolist() if isinstance(field, np.ndarray) else field for key, field in constant.items()} for constant in constants]
    said = json.dumps({**head, "layers": computed}, allow_nan=False)
    found.update(numbers)
    found["model"] = np.frombuffer(said.encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".qdiff-export-", dir=path.parent))
    try:
        arrays = [(name, array.dtype, array.shape, array) for name, array in found.items()]
        os.replace(_write_npz(scratch / "capture.npz", arrays), path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return path


_FLOAT_FUNCTIONAL = getattr(getattr(torch.ao.nn, "quantized", None), "FloatFunctional", ())


def _fake_of(module):
    """A fake quantization that is switched on; None: no such module."""
    enabled = getattr(module, "fake_quant_enabled", None)
    return module if enabled is not None and bool(enabled.reshape(-1)[0]) else None


class _Like:
    """What a float model gives for the layers of a model.json, and what it computes them with, by hooks on modules: codes by the scale of
    its own fake quantization, weights as they were multiplied. A layer's ReLU that was fused into it is what is left as "identity": the
    float model's value of both is what comes after."""

    def __init__(self, model, layers):
        self.model, self.layers, self.modules = model, layers, dict(model.named_modules())
        self.params, self.follows, known = {}, {}, {}
        for layer in layers:
            source = _sources_of(layer)[0]
            output = layer.get("output") or known.get(source)
            known[layer["name"]] = output
            if output is None or layer["op"] == "quantize":
                continue
            self.params[layer["name"]] = output
            if layer["op"] == "identity" and layer["name"] in self.modules:
                self.follows[source] = layer["name"]
        quantized = {layer["name"]: layer["output"] for layer in layers if layer["op"] == "quantize" and layer.get("output")}
        self.params.update(quantized)
        is_graph = isinstance(model, torch.fx.GraphModule)
        is_exported = is_graph and any(_target(node).startswith("aten.") for node in model.graph.nodes)
        self.nodes = self.of_exported() if is_exported else {}
        self.steps = {}  # node of a graph of prepare_fx that is no module -> its layer
        self.after = self.of_graph(layers) if is_graph and not is_exported else {}
        self.fakes = {}  # layer -> the fake quantization of its value
        self.weights = {}  # layer -> its weights as they are multiplied, and their fake quantization
        self.between = set()  # what no codes stand for

    def of_graph(self, layers):
        """Of a graph of prepare_fx: a fake quantization's path -> call by call the layer whose value it gives, quantize of an input; None:
        no layer. That of a pool's input is called behind the pool, too."""
        of_input = {layer["input"]: layer["name"] for layer in layers if layer["op"] == "quantize" and isinstance(layer["input"], str)}
        path_of = {module: path for path, module in self.modules.items()}  # one of two names is the other's module
        declared = Counter(_base_of(layer["name"]) for layer in layers)
        nodes = [node for node in self.model.graph.nodes if node.op != "output" and not self.is_fake(node)]
        named = {node: _base_of(_layer_of(node)) for node in nodes if not _gives_several(node)}
        counts, uses, names, after = Counter(named.values()), Counter(), {}, {}
        for node in self.model.graph.nodes:
            if node in named:
                uses[named[node]] += 1
                sure = node.op == "call_module" or counts[named[node]] == declared[named[node]]
                names[node] = of_input.get(node.target) if node.op == "placeholder" else (
                    None if not sure else named[node] if uses[named[node]] == 1 else f"{named[node]}@{uses[named[node]]}")
                if node.op in ("call_function", "call_method") and names[node] in self.params:
                    self.steps[node] = names[node]
            elif self.is_fake(node):
                source = node.args[0]
                while names.get(source) not in self.params and self.is_relu(source):  # fused into what it reads
                    source = source.args[0]
                after.setdefault(path_of[self.model.get_submodule(node.target)], []).append(of_input.get(names.get(source), names.get(source)))
        return after

    def of_exported(self):
        """Of a graph of prepare_qat_pt2e: layer -> (the node that gives its value, its fake quantization, that of its weights). Both
        graphs have the same nodes in the same order; a convolution and its norm are one."""
        computed, moving = [], set()
        norms = {node: self.norm_of(node) for node in self.model.graph.nodes if _target(node) in _PRODUCTS}
        of_norms = {step for steps in norms.values() for step in steps}
        for node in self.model.graph.nodes:
            if node.op == "placeholder" or any(source in moving for source in node.all_input_nodes):
                moving.add(node)
                is_step = _gives_several(node.args[0]) if node.target is operator.getitem else _target(node).startswith("aten.") and not _gives_several(node)
                if is_step and _target(node) not in _PASSED and node not in of_norms:
                    computed.append(node)
        nodes = {node.target: (node, self.fake_after(node)) for node in self.model.graph.nodes if node.op == "placeholder"}
        left, found = iter(computed), {}
        for layer in self.layers:
            source, last = _sources_of(layer)[0], None
            if layer["op"] in ("quantize", "dequantize"):
                last, fake = nodes.get(source, (None, None))
                nodes[layer["name"]] = last, fake
                found[layer["name"]] = (fake if fake is not None else last, fake if layer["op"] == "quantize" else None, None)
                continue
            node = next(left, None)
            if node is None or ("weight_scale" in layer) != (_target(node) in _PRODUCTS):
                return {}
            last = node
            if _target(node) in _PRODUCTS:
                last = norms[node][-1] if norms[node] else node
                relu = next((user for user in last.users if _target(user) in _RELU), None)
                if layer.get("activation", "none") != "none" and relu is not None and relu in computed:
                    last = next(left, None)
            fake = self.fake_after(last) if last is not None else None
            nodes[layer["name"]] = last, fake
            is_product = _target(node) in _PRODUCTS or layer["op"].endswith("_float")
            weight = node.args[1] if is_product and self.is_fake(node.args[1]) else None
            found[layer["name"]] = (fake if "scale" in (layer.get("output") or {}) and fake is not None else last, fake if "scale" in (layer.get("output") or {}) else None, weight)
        return found

    @staticmethod
    def norm_of(product):
        """What prepare_qat_pt2e puts between a convolution and its norm (a division, and its bias), and the norm; [] without."""
        step = lambda node, target: next((user for user in node.users if _target(user) == target), None)
        scaled = step(product, "aten.div")
        biased = scaled and step(scaled, "aten.add")
        norm = scaled and step(biased or scaled, "aten.batch_norm")
        return [one for one in (scaled, biased, norm) if one is not None] if norm is not None else []

    def fake_after(self, node):
        return next((user for user in node.users if self.is_fake(user)), None)

    def of_nodes(self, args, kwargs):
        """The values of a call of such a graph."""
        wanted = {node for entry in self.nodes.values() for node in entry if node is not None}
        kept = {}
        with torch.no_grad():
            _run(self.model, args, kwargs, wanted, kept.__setitem__)
        modules = lambda node: _fake_of(self.model.get_submodule(node.target))
        for name, (node, fake, weight) in self.nodes.items():
            if fake is not None and modules(fake) is not None:
                self.fakes[name] = modules(fake)
            if weight is not None:
                self.weights[name] = kept[weight], modules(weight)
        shapes = {layer["name"]: layer.get("shape") for layer in self.layers}
        return {name: kept[node] for name, (node, _, _) in self.nodes.items()
                if node is not None and math.prod(shapes[name] or kept[node].shape[1:]) == math.prod(kept[node].shape[1:])}

    def is_fake(self, node):
        return isinstance(node, torch.fx.Node) and node.op == "call_module" and hasattr(self.model.get_submodule(node.target), "fake_quant_enabled")

    def is_relu(self, node):
        name = type(self.modules.get(node.target)).__name__ if node.op == "call_module" else node.name
        return node.op in ("call_module", "call_function", "call_method") and re.match("relu(?!6)", name, re.I) is not None

    @contextlib.contextmanager
    def as_trained(self):
        """Observers move scales with every call; and the model is left as it was."""
        switches = [module.observer_enabled for module in self.modules.values() if isinstance(getattr(module, "observer_enabled", None), torch.Tensor)]
        were = [switch.clone() for switch in switches]
        try:
            for switch in switches:
                switch.zero_()
            yield
        finally:
            for switch, before in zip(switches, were):
                switch.copy_(before)

    def of_call(self, args, kwargs):
        """name -> (tensor, how it is written); NAME.float is what lies between codes and is read by other layers."""
        if self.nodes:
            return self.written(self.of_nodes(args, kwargs))
        given, uses = {}, Counter()
        read = {layer["name"]: _sources_of(layer)[0] for layer in self.layers if isinstance(layer.get("input"), str)}

        def hook(path):
            def keep(module, inputs, output):
                uses[path] += 1
                name = self.after[path][uses[path] - 1] if path in self.after else path if uses[path] == 1 else f"{path}@{uses[path]}"
                source = read.get(name)
                if source in self.params and source not in given and path not in self.after and inputs and isinstance(inputs[0], torch.Tensor):
                    given[source] = inputs[0].detach().clone()  # of a function, which has no hook
                if name in self.params and isinstance(output, torch.Tensor):
                    given[name] = output.dequantize() if output.is_quantized else output.detach().clone()
                    fake = _fake_of(module) or _fake_of(getattr(module, "activation_post_process", None))
                    if fake is not None:
                        self.fakes[name] = fake
            return keep

        def keep_weights(path):
            def keep(module, _inputs, output):
                self.weights[path] = output.detach(), _fake_of(module)
            return keep

        with contextlib.ExitStack() as hooks:
            for path, module in self.modules.items():
                owner, _, child = path.rpartition(".")
                of_functional = child == "activation_post_process" and isinstance(self.modules[owner], _FLOAT_FUNCTIONAL)
                if child == "weight_fake_quant":
                    hooks.callback(module.register_forward_hook(keep_weights(owner)).remove)
                elif path and not isinstance(module, _FLOAT_FUNCTIONAL):  # whose observer sees its result, and nothing calls it
                    hooks.callback(module.register_forward_hook(hook(owner if of_functional else path)).remove)
            with torch.no_grad():
                _run(self.model, args, kwargs, self.steps, lambda node, value: given.update({self.steps[node]: value}))
        for layer, after in self.follows.items():
            if layer in given and after in given:
                given[layer] = given[after]
                if after in self.fakes:
                    self.fakes[layer] = self.fakes[after]
        return self.written(given)

    def written(self, given):
        """In the order of the layers, since what only moves or dequantizes values has no module that is asked, and follows."""
        values, own, grid = {}, {}, {}  # grid: what a value was quantized by, also where it is real again
        for layer in self.layers:
            name, sources = layer["name"], _sources_of(layer)
            declared, source = self.params.get(name) or layer.get("output") or {"dtype": "float32"}, sources[0]
            if name not in given and source in given and (layer["op"] in ("dequantize", "quantize") or layer["op"] in ("flatten", "reshape") and "shape" in layer):
                tensor = given[source]
                shape = layer.get("shape", tensor.shape[1:])  # a file of matrices says none
                if math.prod(shape) == math.prod(tensor.shape[1:]):
                    given[name] = tensor.reshape(len(tensor), *shape)
            tensor = _of_shape(given.get(name), layer.get("shape"))
            if tensor is None and layer["op"] == "permute" and source in given:  # the model puts the samples on another axis
                tensor = given[name] = given[source].permute(layer["dims"])
            if tensor is None:
                continue
            given[name] = tensor
            read = next((grid[one] for one in sources if one in grid and _is_on_grid(tensor, grid[one])), None)
            # what only moved is read by the parameters of what it was
            moved = (read if "scale" in declared else declared) if "output" not in layer else None
            params = moved or (_params_of_fake(self.fakes[name], declared) if name in self.fakes else read if "scale" in declared else declared)
            if read or name in self.fakes:
                grid[name] = read if params is declared else params
            if params is None and not _is_on_grid(tensor, declared):
                self.between.add(name)
                values[f"{name}.float"] = tensor, {"dtype": "float32"}
            own[name] = params = params or declared
            values[name] = tensor, params
        self.own = own
        return values

    def as_layers(self):
        """The float model in model.json's words: what it multiplies and quantizes by, layer by layer; and its arrays."""
        arrays, layers = {}, []
        read = lambda layer, floats: [f"{source}.float" if floats and source in self.between else source for source in _sources_of(layer)]
        for layer in self.layers:
            name, entry = layer["name"], dict(layer)
            is_moved = "output" not in layer
            if not is_moved and name in self.own:
                entry["output"] = self.own[name]
            entry.update(self.multiplied(layer))
            reads = read(layer, not is_moved)
            if reads[0].endswith(".float") and "weight" in entry:
                entry = _of_floats(entry)
            unseen = None if reads[0].endswith(".float") or name in self.between else self.unseen_weights(layer)
            if unseen:
                layers.append({"name": f"{name}.reals", "op": "dequantize", "input": reads[0], "output": {"dtype": "float32"}})
                entry = {**_of_floats(entry), **unseen, "input": f"{name}.reals"}
                layers.append({key: _array_of(arrays, f"{name}.{key}", field) for key, field in entry.items()})
                continue
            own = self.own.get(name, {})
            if is_moved and "scale" in own and own != self.own.get(_sources_of(layer)[0], own):  # and quantized again
                layers.append({**entry, "name": f"{name}.moved"})
                entry = {"name": name, "op": "requantize", "input": f"{name}.moved", "output": own}
                reads = [entry["input"]]
            floats = {} if is_moved else {"output": {"dtype": "float32"}, "arithmetic": "float"}
            for twin in [entry, {**entry, "name": f"{name}.float", **floats}][: 1 + (name in self.between)]:
                if entry["op"] != "requantize":
                    reads = read(layer, not is_moved or twin is not entry)
                twin["input"] = reads[0] if isinstance(layer.get("input"), str) else reads
                layers.append({key: _array_of(arrays, f"{name}.{key}", field) for key, field in twin.items()})
        return layers, arrays

    def unseen_weights(self, layer):
        """Weights and bias of a module whose weights no fake quantization sees (FX has none for a transposed convolution); {}: they are the
        codes of the file, or another kind of module's, which can quantize them by itself."""
        name, path, own = layer["name"], _base_of(layer["name"]), self.own.get(layer["name"], {})
        module = self.modules.get(path)
        if self.nodes or type(module) not in _FLOAT_PRODUCTS or name in self.weights or path in self.weights or "weight_scale" not in layer or "scale" not in own:
            return {}
        if layer.get("activation", "none") not in ("none", "relu"):
            return {}
        weight = module.weight.detach().float().numpy()
        if weight.shape != np.shape(layer["weight"]):
            return {}
        weight = _products_weight(layer, weight).reshape(-1)
        if np.allclose(weight, _of_floats(layer)["weight"], 1e-5, 0):
            return {}
        return {"weight": weight, "bias": None if module.bias is None else module.bias.detach().float().numpy()}

    def multiplied(self, layer):
        """Weights, scales and bias of the module of a layer, where they are codes of its own scales; else nothing."""
        path = _base_of(layer["name"])
        weights, fake = self.weights.get(layer["name"]) or self.weights.get(path) or (None, None)
        if weights is None or fake is None:
            return {}
        if layer["op"].endswith("_float"):  # whose codes the reference makes reals of again
            own = _products_weight(layer, weights.float().numpy()).reshape(-1)
            return {"weight": own} if own.size == np.size(layer["weight"]) else {}
        if "weight_scale" not in layer:
            return {}
        shape = np.asarray(layer["weight"]).shape
        scale, zero = (tensor.detach().double().numpy().reshape(-1) for tensor in (fake.scale, fake.zero_point))
        own = weights.detach().double().numpy()
        outputs = shape[1] * layer.get("groups", 1) if "transpose" in layer["op"] else shape[0]
        if own.shape != shape or len(scale) not in (1, outputs):
            return {}
        beside = lambda numbers: _beside_weights(layer, numbers, shape)
        codes = np.rint(own / beside(scale)) + beside(zero)
        limits = np.iinfo(layer.get("weight_dtype", "int8"))
        if codes.min() < limits.min or codes.max() > limits.max:
            return {}
        each = lambda numbers: numbers.tolist() if len(numbers) > 1 or outputs == 1 and isinstance(layer["weight_scale"], list) else numbers[0].item()
        given = {"weight": codes.astype(limits.dtype), "weight_scale": each(scale), "weight_zero_point": each(zero.astype(int))}
        bias = None if self.nodes else _bias_of(self.modules.get(path))  # a graph's norm is no module
        if bias is not None and layer.get("bias") is not None and not np.allclose(bias, np.asarray(layer["bias"], float), 1e-4, 1e-6):
            given["bias"] = bias.astype(np.float32)
        return given


_FLOAT_PRODUCTS = {torch.nn.Linear, *(getattr(torch.nn, f"Conv{kind}{n}d") for kind in ("", "Transpose") for n in (1, 2, 3))}
_PRODUCTS = {"aten.linear", "aten.conv1d", "aten.conv2d", "aten.conv3d", "aten.convolution"}
_PASSED = {"aten.dropout", "aten.detach", "aten.detach_", "aten.clone", "aten.contiguous", "aten.alias", "aten.lift_fresh_copy", "aten._assert_tensor_metadata"}


def _layer_of(node):
    """The layer that a node of a graph of prepare_fx becomes, but for its number."""
    if node.op == "call_module":
        return node.target
    name = re.sub(r"_\d+$", "", node.name)
    if name == "getitem" and (_gives_several(node.args[0]) or "slice(" in repr(node.args[1])):
        return "slice"
    return f"{name}_scalar" if name in ("add", "mul") and any(not isinstance(one, torch.fx.Node) for one in node.args) else name


def _gives_several(node):
    """Values, which are layers each."""
    return isinstance(node, torch.fx.Node) and re.match(r"(unbind|chunk|(tensor_)?split)(_|$)", node.name) is not None


def _run(model, args, kwargs, wanted, keep):
    """One call; of a graph the values of these nodes."""
    if not wanted:
        return model(*args, **kwargs)

    class Kept(torch.fx.Interpreter):
        def run_node(self, node):
            value = super().run_node(node)
            if node in wanted and isinstance(value, torch.Tensor):
                keep(node, value.detach().clone())
            return value

    return Kept(model).run(*args, *kwargs.values())


def _sources_of(layer):
    source = layer.get("input")
    return source if isinstance(source, list) and source else [source]


def _params_of_fake(fake, declared):
    """What it quantizes by, as model.json says it."""
    low, high = int(fake.quant_min), int(fake.quant_max)
    dtype = declared["dtype"] if "scale" in declared else "int8" if low < 0 else "uint8"
    limits = np.iinfo(dtype)
    params = {"dtype": dtype, "scale": float(fake.scale.reshape(-1)[0]), "zero_point": int(fake.zero_point.reshape(-1)[0])}
    return params if (low, high) == (limits.min, limits.max) else {**params, "quant_min": low, "quant_max": high}


def _of_shape(tensor, shape):
    """A value in the shape that the file says; None: its samples are elsewhere."""
    if tensor is None or shape is None or tuple(tensor.shape[1:]) == tuple(shape):
        return tensor
    return tensor.reshape(len(tensor), *shape) if math.prod(tensor.shape[1:]) == math.prod(shape) else None


def _is_on_grid(tensor, params):
    steps = tensor.detach().double() / params["scale"]
    return not bool(((steps - steps.round()).abs() > 0.01).any())


def _of_floats(layer):
    """A product of codes as the one of floats that its float model runs: what it reads is quantized by nothing."""
    scale, zero = (np.asarray(layer[field], float).reshape(-1) for field in ("weight_scale", "weight_zero_point"))
    weight = _products_weight(layer, np.asarray(layer["weight"]))
    along = (slice(None), *[None] * (weight.ndim - 1))
    kept = {key: field for key, field in layer.items() if not key.startswith(("weight", "bias_"))}
    more = {"kernel_size": list(weight.shape[2:])} if weight.ndim > 2 else {}
    return {**kept, **more, "op": f"{layer['op']}_float", "weight": ((weight - zero[along]) * scale[along]).astype(np.float32).reshape(-1),
            "out_features": len(weight)}


def _beside_weights(layer, numbers, shape):
    """A number an output channel, or one, to be computed with weights of a shape."""
    if len(numbers) > 1 and "transpose" in layer["op"]:
        groups = layer.get("groups", 1)
        numbers = np.repeat(numbers.reshape(groups, 1, -1), shape[0] // groups, 1).reshape(shape[:2])
    return numbers.reshape(*numbers.shape, *[1] * (len(shape) - numbers.ndim))


def _products_weight(layer, weight):
    """A product's weights, output channels first."""
    return _outputs_first(weight, layer.get("groups", 1)) if "transpose" in layer["op"] else weight


def _bias_of(module):
    """What is added to the sums in all, a norm that the module fuses too."""
    bias, norm = getattr(module, "bias", None), getattr(module, "bn", None)
    total = None if bias is None else bias.detach().double().numpy()
    if norm is not None:
        factor = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
        total = (norm.bias.detach().double() + factor * ((0 if bias is None else bias.detach().double()) - norm.running_mean.double())).numpy()
    return total


def _array_of(arrays, key, field):
    """Numbers beside the model, unless they are few."""
    field = np.asarray(field) if isinstance(field, list) and key.endswith((".weight", ".bias", ".weight_scale", ".weight_zero_point")) else field
    if not isinstance(field, np.ndarray):
        return field
    if field.size <= 16:
        return field.tolist()
    arrays[key] = field
    return {"array": key}


def _base_of(name):
    return name.split("@")[0]


def _codes_of(name, tensor, params):
    """Floats as the nearest codes; a float value as it is."""
    array = tensor.detach().cpu().double().numpy()
    if params["dtype"] == "float32":
        return array.astype(np.float32)
    limits = np.iinfo(params["dtype"])
    if not np.isfinite(array).all():
        raise ExportError(f"{name}: NaN or infinity, which no code of {params['dtype']} stands for")
    codes = np.rint(array / params["scale"]) + params["zero_point"]
    return np.clip(codes, params.get("quant_min", limits.min), params.get("quant_max", limits.max)).astype(params["dtype"])


@contextlib.contextmanager
def _recorded(model, inputs, folder, select, limit, lowered):
    """All calls, as (recording, flow, scratch folder). Scratch lies beside the results, where os.replace can move files."""
    if not torch.__version__.startswith(TESTED_TORCH + "."):
        _warn(f"tested with torch {TESTED_TORCH}, this is {torch.__version__}: quantize rounds near ties by another rule in other releases")
    model = _checked_model(model)
    is_pt2e = isinstance(model, torch.fx.GraphModule) and _is_pt2e(model)
    if lowered and not is_pt2e:
        raise ExportError("lowered=True is for graphs of convert_pt2e that quantize a layer; this model quantizes none, or runs its quantized kernels already")
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder}: expected a folder, found a file")
    nearest = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    scratch = Path(tempfile.mkdtemp(prefix=".qdiff-export-", dir=nearest))
    try:
        recording = Recording(scratch, select)
        watch = _Pt2eWatch(model, recording, lowered) if is_pt2e else _EagerWatch(model, recording)
        for args, kwargs, samples in _calls(model, inputs, limit):
            if not recording.batch_sizes and not is_pt2e:
                watch.time_first = _is_time_first(model, args, kwargs)
            recording.begin_call(next(t.shape[1] for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor) and t.dim() > 2)
                                 if watch.time_first else samples)
            with torch.no_grad():
                watch.call(args, kwargs)
            recording.end_call()
        recording.finish()
        _check_recording(model, recording)
        yield recording, watch.flow(), scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _is_time_first(model, args, kwargs):
    """Whether its inputs go, as they lie, into an LSTM or GRU that reads time first."""
    recurrent = [module for module in model.modules() if getattr(module, "batch_first", True) is False and hasattr(module, "hidden_size")]
    sequences = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor) and t.dim() == 3]
    read = []
    with contextlib.ExitStack() as hooks:
        for module in recurrent if sequences else []:
            hooks.callback(module.register_forward_pre_hook(lambda _, given: read.append(given[0])).remove)
        with torch.no_grad():
            _ = model(*args, **kwargs) if recurrent and sequences else None
    return any(given.dim() == 3 and given.shape[:2] == t.shape[:2] and (t.shape[0] != t.shape[1] or given.stride()[0] > given.stride()[1])
               for given in read[:1] for t in sequences)


def _warn(message):
    """A warning that points at the caller's line, not into this file."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename in (__file__, contextlib.__file__):
        level, frame = level + 1, frame.f_back
    warnings.warn(f"qdiff_export: {message}", stacklevel=level)


# ---------------------------------------------------------------- the model: what is refused, before and after it ran

def _checked_model(model):
    if isinstance(model, torch.export.ExportedProgram):
        model = model.module()
    if hasattr(model, "_orig_mod"):
        raise ExportError("the model is compiled by torch.compile: export model._orig_mod")
    if isinstance(model, dict):
        raise ExportError("expected a module, got a state_dict: build the model, prepare and convert it, load the state_dict, "
                          "then export it")
    if not isinstance(model, torch.nn.Module):
        raise ExportError(f"expected a torch.nn.Module, got {type(model).__name__}")
    for path, module in model.named_modules():
        if module.training and getattr(module, "p", 0) and type(module).__module__ == "torch.nn.modules.dropout":
            raise ExportError(f"{path or 'the model'} is a {type(module).__name__} in training mode, whose values are random: call model.eval() first")
        if isinstance(module, torch.jit.ScriptModule):
            raise ExportError(f"{path or 'the model'} is TorchScript, which cannot be watched: export the Python module, "
                              "before torch.jit.script or trace")
        if type(module).__module__.startswith("torchao.") and "Linear" in type(module).__name__:
            raise ExportError(_not_int8(path, type(module)))
        if {base.__name__ for base in type(module).__mro__} & {"ObserverBase", "FakeQuantizeBase", "AffineQuantizedObserverBase"}:
            raise ExportError(f"{path or 'the model'} is a {type(module).__name__}: the model is prepared but not converted; "
                              "call torch.ao.quantization.convert(model.eval()) (or convert_fx, convert_pt2e) and export its result")
        if path and isinstance(module, torch.fx.GraphModule) and _is_pt2e(module):
            raise ExportError(f"{path} is a graph of convert_pt2e inside another module: export it alone, with the inputs it gets: "
                              f"export(model.{path}, ...)")
        for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            where = f"{path}.{name}" if path else name
            if tensor.device.type != "cpu":
                raise ExportError(f"{where} is on {tensor.device}: quantized kernels run on the CPU; call model.cpu() and inputs.cpu()")
            if type(tensor).__module__.startswith("torchao"):
                _check_torchao(where, tensor)
    if model.training and not isinstance(model, torch.fx.GraphModule):  # graphs of torch.export say so always
        _warn("the model is in training mode, where dropout is random; call model.eval()")
    return model


def _is_torchao_int8(tensor):
    """A weight that torchao's quantize_ multiplies as integers."""
    kind = type(tensor)
    return kind.__name__ == "Int8Tensor" and kind.__module__.startswith("torchao") and tensor.act_quant_kwargs is not None


def _check_torchao(where, tensor):
    what = f"{where or 'the model'} is a torchao {type(tensor).__name__}"
    if not _is_torchao_int8(tensor):
        raise ExportError(f"{what}: models of quantize_ that are weight-only, 4-bit or float8 have no int8 linear to replay; quantize "
                          "with Int8DynamicActivationInt8WeightConfig, or with convert_pt2e or torch.ao.quantization.convert")
    if tensor.dtype != torch.float32:
        raise ExportError(f"{what} of {tensor.dtype}: qdiff replays its arithmetic in float32; call model.float() before quantize_")
    if tensor.act_pre_scale is not None:
        raise ExportError(f"{what} that scales its input first (SmoothQuant, AWQ), which qdiff does not replay")


def _check_recording(model, recording):
    if not recording.batch_sizes:
        raise ExportError("inputs: no samples")
    for pattern in recording.select:
        if not fnmatch.filter(recording.seen, pattern):
            raise ExportError(f"select: {pattern!r} matches no layer; the layers are {_listed(recording.seen, 20)}")
    if not recording.saw_quantized:
        floats = [path for path, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
        subject = f"{floats[0] or 'the model'} is a float torch.nn.Linear" if floats else f"{type(model).__name__} ran no quantized op"
        raise ExportError(f"{subject}: the model is not quantized; prepare, calibrate and convert it "
                          "(torch.ao.quantization.convert, convert_fx, quantize_dynamic or convert_pt2e) and export the result")
    opaque = [f"{layer['name']} ({layer['op']})" for layer in recording.layers if layer["op"] not in _REPLAYED]
    if opaque:
        _warn(f"not replayed by qdiff, exported with their values: {_listed(opaque, 10)}")
    if recording.lost:
        _warn(f"left out of the capture, since their rows are not the samples of the first linear layer: {_listed(recording.lost, 10)}; "
              "export layers of another row count apart, with select=")


def _listed(names, most):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


# ---------------------------------------------------------------- the calls: inputs -> (args, kwargs, samples)

def _calls(model, inputs, limit):
    if limit is not None and limit < 1:
        raise ExportError(f"limit: expected 1 or more samples, got {limit}")
    left = math.inf if limit is None else limit
    for args, kwargs in _batches(model, inputs):
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        if not tensors:
            raise ExportError(f"inputs: expected tensors, got {type(next(iter(args), kwargs)).__name__}")
        for tensor in tensors:
            if tensor.device.type != "cpu":
                raise ExportError(f"inputs: on {tensor.device}; quantized kernels run on the CPU: pass inputs.cpu()")
        samples = next((len(t) for t in tensors if t.dim() > 1), 1)
        if samples > left:
            keep = int(left)
            args, kwargs = tree_map(
                lambda leaf: leaf[:keep] if isinstance(leaf, torch.Tensor) and leaf.dim() and len(leaf) == samples else leaf,
                (args, kwargs))
            samples = keep
        if samples:
            yield args, kwargs, samples
        left -= samples
        if left <= 0:
            return


def _batches(model, inputs):
    if isinstance(inputs, (torch.Tensor, np.ndarray)):
        yield (_tensor(inputs),), {}
    elif isinstance(inputs, tuple):
        yield tree_map(_tensor, inputs), {}
    elif isinstance(inputs, dict):
        yield (), tree_map(_tensor, dict(inputs))
    elif hasattr(inputs, "__iter__"):
        yield from _batches_of_loader(model, inputs)
    else:
        raise ExportError(f"inputs: expected a tensor, a tuple, a dict or a DataLoader, got {type(inputs).__name__}")


def _batches_of_loader(model, loader):
    parameters = list(inspect.signature(model.forward).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = max(1, sum(p.default is p.empty for p in positional))
    takes_any = any(p.kind == p.VAR_KEYWORD for p in parameters)
    names = {p.name for p in parameters}
    dropped = {}
    for batch in loader:
        if isinstance(batch, (tuple, list)):
            dropped.update({f"items {required} to {len(batch) - 1} of each batch": 1} if len(batch) > required else {})
            yield tree_map(_tensor, tuple(batch[:required])), {}
        elif isinstance(batch, dict):
            kept = {key: item for key, item in batch.items() if takes_any or key in names}
            dropped.update({key: 1 for key in batch if key not in kept})
            yield (), tree_map(_tensor, kept)
        else:
            yield (_tensor(batch),), {}
    if dropped:
        print(f"qdiff_export: dropped what forward does not require (labels?): {', '.join(dropped)}")


def _tensor(item):
    """numpy to torch; float64, which numpy makes of everything, to the float32 that layers want."""
    if not isinstance(item, np.ndarray):
        return item
    tensor = torch.from_numpy(np.array(item))
    return tensor.float() if tensor.dtype == torch.float64 else tensor


def _named_arguments(model, args, kwargs):
    """(name, tensor) of every tensor of a call: "x", or "x.0", "x.mask" within a list or a dict."""
    def walk(name, item):
        if isinstance(item, torch.Tensor):
            yield name, item
        elif isinstance(item, (tuple, list, dict)):
            parts = list(item.items() if isinstance(item, dict) else enumerate(item))
            for key, part in parts:
                yield from walk(name if len(parts) == 1 else f"{name}.{key}", part)

    try:
        arguments = inspect.signature(model.forward).bind(*args, **kwargs).arguments
    except TypeError:  # forward itself will say what is wrong
        arguments = {"x": args, **kwargs}
    for name, item in arguments.items():
        yield from walk(name, item)


# ---------------------------------------------------------------- what is recorded

# A file of these alone counts rows as samples; one with any other op of _REPLAYED gives each value its shape.
_OF_MATRICES = {"linear", "linear_dynamic", "quantize", "dequantize", "relu", "relu6", "identity"}
_CODES = {torch.quint8: "uint8", torch.qint8: "int8", torch.uint8: "uint8", torch.int8: "int8"}


class Value:
    """A tensor of one call. params says how to read its numbers, as in model.json; None for what qdiff has no form for
    (int64 indices, masks, scalars)."""

    __slots__ = ("name", "tensor", "params", "written", "of", "constant", "indices", "first", "at", "copied", "shape")

    def __init__(self, name, tensor, params, of=None):
        self.name, self.tensor, self.params, self.written = name, tensor, params, False
        self.shape = tuple(tensor.shape)
        self.of = of  # the value that it is a view of
        self.indices = None  # the same as what a table is read by, once it was
        self.copied = None  # the value that it is, as a copy in another order of memory: a layer once anything but a view reads it
        self.first, self.at = None, (0, 1)  # the same with the samples first and by themselves, where this tensor has them elsewhere
        self.constant = None  # its numbers in model.json, where no call computes it


def _samples_first(tensor, at, samples):
    """A tensor with its samples first and by themselves. at: their axis, and by what other axes they are multiplied there from outside:
    time * batch is (0, time), batch * heads (0, 1), time first (1, 1)."""
    axis, outer = at
    inner = tensor.shape[axis] // (outer * samples)
    before, after = tensor.shape[:axis], tensor.shape[axis + 1:]
    whole = tensor.reshape(*before, outer, samples, inner, *after).movedim(axis + 1, 0)
    return whole.reshape(samples, *before, *(extent for extent in (outer, inner) if extent > 1), *after)


def _along(value, dim):
    """An axis of a value's tensor, where the samples are first; None: it is theirs."""
    axis, outer = value.at
    if dim == axis:
        return None
    if value.first is None:
        return dim
    inner = value.tensor.shape[axis] // (outer * value.first.shape[0])
    return dim + 1 if dim < axis else dim + (outer > 1) + (inner > 1)


def _params_of(tensor):
    if tensor.layout != torch.strided or tensor.dim() == 0:
        return None
    if tensor.dtype == torch.float32:
        return {"dtype": "float32"}
    if tensor.dtype in (torch.quint8, torch.qint8) and tensor.qscheme() == torch.per_tensor_affine:
        return {"dtype": _CODES[tensor.dtype], "scale": tensor.q_scale(), "zero_point": tensor.q_zero_point()}
    return None


class _Rows:
    """One array of the capture: raw numbers, appended call by call to a file."""

    __slots__ = ("path", "dtype", "numbers", "features", "of_linear", "shape", "whole")

    def __init__(self, path, dtype, shape):
        self.path, self.dtype = path, np.dtype(dtype)
        self.shape = shape  # without the samples' axis; whole: of every call so far
        self.whole = True
        self.numbers = 0  # of the current call
        self.features = None  # numbers a sample; of_linear: a linear layer says so
        self.of_linear = False

    def append(self, tensor):
        codes = tensor.int_repr() if tensor.is_quantized else tensor.detach()
        flat = codes.contiguous().numpy().reshape(-1).astype(self.dtype, copy=False)
        with open(self.path, "ab") as file:
            flat.tofile(file)
        self.numbers += flat.size
        self.whole &= tuple(tensor.shape[1:]) == self.shape


class Recording:
    """The layers of the first call, to which every later call must agree, and the values of all calls.

    A value is written when a recorded layer computes or reads it. What no recorded layer computes becomes an input of the
    model file: the model's own arguments, and the layers that select= leaves out.
    """

    def __init__(self, scratch, select):
        self.scratch = scratch
        self.select = [select] if isinstance(select, str) else list(select or [])
        self.layers, self.inputs, self.batch_sizes, self.constants = [], [], [], {}
        self.arrays, self.lost = {}, []
        self.seen = []  # the first call's layers, selected or not
        self.views = {}  # name -> the value that it is a view of, by name
        self.saw_quantized = self.shaped = False
        self.number = 0

    def begin_call(self, samples):
        self.samples, self.trace, self.reads, self.rows = samples, [], [], None

    def layer(self, value, op, sources, /, features=None, parameters=None, samples=None, **fields):
        """Records value = op(sources). A linear layer has features (in, out). parameters: a function, which the first call asks.
        samples: how many the call has, where its inputs do not say."""
        self.samples = samples or self.samples
        self.saw_quantized |= op == "linear" or op.endswith("_dynamic") or any("scale" in params and params != _INDICES for params in (value.params, *(s.params for s in sources)))
        if not self.batch_sizes:
            self.seen.append(value.name)
        if self.select and not any(fnmatch.fnmatchcase(value.name, pattern) for pattern in self.select):
            return
        for source in sources:
            if source.constant:
                self.constants.setdefault(source.name, {"name": source.name, **source.constant})
            elif not source.written:
                self.reads.append({"name": source.name, **source.params, **_lies(source.tensor)})
                self._write(source)
        self._write(value)
        entry = {"name": value.name, "op": op, "input": sources[0].name if len(sources) == 1 else [s.name for s in sources], **fields}
        if features:
            self.rows = self.rows or value.tensor.numel() // features[1]
            self._set_features(sources[0], features[0], value.name)
            self._set_features(value, features[1], value.name)
        if parameters and not self.batch_sizes:
            entry.update(parameters())
        if value.of is not None:
            self.views[value.name] = sources[0].name
        self.trace.append({**entry, **({} if op in _KEEPS else {"output": value.params}), **_lies(value.tensor)})

    def end_call(self):
        if not self.batch_sizes:
            self.layers, self.inputs = self.trace, self.reads
        for now, first in zip([*self.reads, *self.trace, None], [*self.inputs, *self.layers, None]):
            if _outline(now) != _outline(first):
                raise ExportError(f"call {len(self.batch_sizes)}: the model does not do what it did in call 0: {_outline(now)} in place of "
                                  f"{_outline(first)}; export such calls apart")
        shaped = self.shaped = any(layer["op"] in _REPLAYED - _OF_MATRICES and layer["name"] not in self.views for layer in self.layers)
        rows = self.samples if shaped else self.rows or self.samples
        for name, array in list(self.arrays.items()):
            if shaped:
                array.features = math.prod(array.shape)
            elif array.features is None:
                array.features = array.numbers // rows
            if array.numbers != rows * array.features or shaped and not array.whole:
                if name not in self.views or shaped:
                    self.lost.append(name)
                del self.arrays[name]
            array.numbers = 0
        self.batch_sizes.append(rows)

    def finish(self):
        """Rows are samples: then views are their sources, and nothing has a shape."""
        if self.shaped:
            return
        root = lambda name: root(self.views[name]) if name in self.views else name
        self.layers = [layer for layer in self.layers if layer["name"] not in self.views]
        for entry in [*self.inputs, *self.layers]:
            for field in ("shape", "strides", "memory_format"):
                entry.pop(field, None)
            if "input" in entry:
                names = entry["input"]
                entry["input"] = [root(name) for name in names] if isinstance(names, list) else root(names)
        for name in self.views:
            self.arrays.pop(name, None)

    def _write(self, value):
        if value.name not in self.lost:
            if value.name not in self.arrays:
                self.number += 1
                self.arrays[value.name] = _Rows(self.scratch / f"{self.number}.raw", value.params["dtype"], tuple(value.tensor.shape[1:]))
            self.arrays[value.name].append(value.tensor)
        value.written = True

    def _set_features(self, value, features, layer):
        """Only a linear layer says that the last axis is the features: an op on [N, C, H, W] has N samples all the same."""
        while value.of is not None:
            value = value.of
        name = value.name
        array = self.arrays.get(name)
        if array and array.of_linear and array.features != features and not self.shaped and not self._has_shapes():
            raise ExportError(f"{layer} reads {name} as rows of {features}, another linear layer as rows of {array.features}: "
                              f"export them apart, with select={layer!r}")
        if array:
            array.features, array.of_linear = features, True


    def _has_shapes(self):
        return any(layer["op"] in _REPLAYED - _OF_MATRICES and layer["name"] not in self.views for layer in self.trace)


def _lies(tensor):
    """The shape of a value, and how it lies in memory where it is not contiguous: some kernels round by that."""
    shape, strides = tuple(tensor.shape), tuple(tensor.stride())
    ordered = lambda axes: tuple(math.prod(shape[a] for a in axes[axes.index(axis) + 1:]) for axis in range(len(shape)))
    fields = {"shape": list(shape[1:]) or [1]}
    if strides == ordered(list(range(len(shape)))):
        return fields
    last = [0, *range(2, len(shape)), 1]
    if len(shape) > 3 and strides == ordered(last):
        return {**fields, "memory_format": "channels_last"}
    return {**fields, "strides": list(strides)}


def _outline(entry):
    """An entry without its parameters: what must be the same in every call."""
    return entry and {key: entry[key] for key in ("name", "op", "input", "activation", "output", "scale", "zero_point") if key in entry}


# ---------------------------------------------------------------- watching a model: names, and which value a tensor is

# These change the shape and never the order of the numbers: the same value, under the same name.
_VIEWS = {"aten.view", "aten._unsafe_view", "aten.reshape", "aten._reshape_alias", "aten.flatten", "aten.unflatten", "aten.unsqueeze",
          "aten.squeeze", "aten.expand", "aten.contiguous", "aten.clone", "aten.detach", "aten.alias", "aten.lift_fresh"}


# These take of a tensor its shape only.
_CONSTANTS = {f"aten.{name}" for name in ("new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like", "full_like", "empty_like")}


_RELU = {"aten.relu": "relu", "aten.relu6": "relu6", "quantized.relu6": "relu6", "aten.hardtanh": "relu6"}  # hardtanh from 0 to 6


class _Watch:
    """What both ways of watching share. Tensors are told apart by id, and kept alive for the call so that ids stay theirs."""

    def __init__(self, model, recording):
        self.model, self.recording = model, recording
        self.module_names = {path for path, _ in model.named_modules()}
        self.time_first = False  # the model's inputs have their samples second

    def call(self, args, kwargs):
        self.values, self.uses, self.failed_at, self.before, self.held = {}, Counter(), None, {}, {}
        for name, tensor in _named_arguments(self.model, args, kwargs):
            value = Value(self.functional("", name), tensor, _params_of(tensor))
            if self.time_first and tensor.dim() > 2:
                value.tensor = tensor.transpose(0, 1)
                self.place(tensor, value, (1, 1))
            else:
                self.bind(tensor, value)
        try:
            self.run(args, kwargs)
        except Exception as error:
            if self.failed_at is None or isinstance(error, ExportError):
                raise
            where, op = self.failed_at
            advice = _advice(op, str(error)) or self.given(where, args, kwargs)
            raise ExportError(f"{where or 'the model'}: {op} failed: {_first_sentence(error)}{advice}") from error

    def given(self, where, args, kwargs):
        """The shapes that the model was called with, beside what the layer that failed takes."""
        module = dict(self.model.named_modules()).get(where)
        takes = next((f"{where} takes {getattr(module, of)} {of.replace('in_', 'input ')}; "
                      for of in ("in_features", "in_channels") if hasattr(module, of)), "")
        shapes = [f"{name} {list(tensor.shape)}" for name, tensor in _named_arguments(self.model, args, kwargs)]
        return f"; {takes}the model was called with {_listed(shapes, 4)}"

    def unique(self, base):
        """What is computed again is "fc1@2"."""
        self.uses[base] += 1
        return base if self.uses[base] == 1 else f"{base}@{self.uses[base]}"

    def functional(self, path, op):
        """A name for what no module of its own computes; never a module's."""
        name = f"{path}.{op}" if path else op
        while name in self.module_names or name == "batch_sizes":
            name += "_"
        return self.unique(name)

    def bind(self, tensor, value, in_place=False):
        """A tensor's version tells when it was changed; that of an in-place op's result rises after the op returned."""
        version = None if in_place or tensor.is_inference() else tensor._version
        self.values[id(tensor)] = (tensor, version, value)

    def share_version(self, func, views, args):
        """A view counts its base's changes, from when the operator has returned: a dispatch mode is not told yet."""
        base = args[0] if args else None
        if not isinstance(base, torch.Tensor) or base.is_inference():
            return
        if any(each.alias_info and not each.alias_info.is_write for each in func._schema.returns):
            for view in views:
                if id(view) in self.values:
                    tensor, version, value = self.values[id(view)]
                    self.values[id(view)] = (tensor, version if version is None else base._version, value)

    def find(self, tensor, is_viewed=False):
        """The value of a tensor; None for weights and constants."""
        if id(tensor) in self.before:
            return self.before[id(tensor)]
        _, version, value = self.values.get(id(tensor), (None, None, None))
        if value is None:
            return None
        if version is None:
            self.bind(tensor, value)
        elif tensor._version != version:  # changed through a view, as x[:, 0] = 0 does
            return self.emit(self.unique(f"{value.name}.inplace"), "inplace", tensor, _params_of(tensor), value if value.written else None)
        if value.copied and not is_viewed:
            return self.copy(tensor, value.copied)
        if not value.written:
            value.tensor = tensor
        return value

    def copy(self, tensor, value):
        """Kernels round by where a value lies in memory."""
        whole = _samples_first(tensor, value.at, value.first.shape[0]) if value.first else tensor
        name = self.functional(self.view_path(), "contiguous")
        self.place(tensor, self.emit(name, "identity", whole, value.params, value.first or value), value.at)
        return self.find(tensor)

    def keep(self, tensors):
        """Before an op changes them in place: what it read, and what has not been written yet, may still be needed."""
        self.before = {id(tensor): value for tensor in tensors if (value := self.find(tensor))}
        self.held = {id(tensor): tensor.clone() for tensor in tensors if id(tensor) not in self.before}
        for value in self.before.values():
            for each in (value, value.first):
                if each and not each.written:
                    each.tensor = each.tensor.clone()

    def read_by(self, kind, tensor):
        """A mask that nothing replayed computes (of indices, of another mask) is an input of the model."""
        value = self.find(tensor)
        if value and not value.params and kind in ("where", "scaled_dot_product_attention") and tensor.dtype == torch.bool and tensor.dim():
            value = Value(self.unique(f"{value.name}.mask"), tensor, {"dtype": "float32"})
            self.bind(tensor, value)
        return value

    def emit(self, name, op, tensor, params, source, /, in_place=False, of=None, **layer):
        """Records a layer if qdiff has a form for both its ends; else its result is an input of whoever reads it."""
        value = Value(name, tensor, params, of)
        self.bind(tensor, value, in_place)
        sources = source if isinstance(source, list) else [source] if source else []
        placed = next((each for each in sources if each.first), None)
        if placed:
            samples = placed.first.shape[0]
            found = _translated(op, layer, placed, sources, tensor)
            if found is None:  # said, with its values where they can be told
                op, found = f"{op} of merged samples" if op in _REPLAYED else op, ({}, placed.at)
            layer, (axis, outer) = found
            if tensor.dim() <= axis or tensor.shape[axis] % (outer * samples):
                return self.lose(value)
            value = Value(name, _samples_first(tensor, (axis, outer), samples), params, of)
            self.place(tensor, value, (axis, outer), in_place)
            sources = [each.first or each for each in sources]
        if op in ("slice", "index_select") and layer.get("dim") == 0:  # not replayed, and what reads it has to know what its numbers are
            op, layer = f"{op} of samples", {}
        if params and sources and all(each.params for each in sources):
            self.recording.layer(value, op, sources, **layer)
        return value

    def lose(self, value):
        value.params = None
        if value.name not in self.recording.lost:
            self.recording.lost.append(value.name)
        return value

    def place(self, tensor, first, at, in_place=False):
        """A tensor that is a value with its samples elsewhere, which is no layer: they are first in every array."""
        if at == (0, 1) and tuple(tensor.shape) == first.shape:
            return self.bind(tensor, first, in_place)
        value = Value(first.name, tensor, first.params)
        value.first, value.at = first, at
        return self.bind(tensor, value, in_place)

    def float_op(self, op, name, result, in_place, bound):
        """Records a row of _FLOAT_OPS whose values are all float32. name(short): the result's name."""
        own = f"{op.rstrip('_')} {bound['exponent']:g}" if isinstance(bound.get("exponent"), (int, float)) else op.rstrip("_")
        row = _FLOAT_OPS.get(f"{own}.{bound['_overload']}") or _FLOAT_OPS.get(own)
        result = result[0] if isinstance(result, (tuple, list)) and result else result
        if row is None or not isinstance(result, torch.Tensor):
            return False
        params = {"dtype": "float32"} if result.dtype == torch.bool and result.dim() else _params_of(result)  # 1 where it holds
        if params != {"dtype": "float32"}:
            return False
        kind, operands, fields = row
        operands = [bound[each] if isinstance(each, str) else each for each in operands if not isinstance(each, str) or each in bound]
        given = [each for operand in operands if operand is not None for each in (operand if isinstance(operand, (list, tuple)) else [operand])]
        others = (each for each in bound.values() if isinstance(each, torch.Tensor) and not any(each is one for one in given))
        if any(map(self.find, others)):  # weights that are computed
            return False
        fields = fields(bound)
        if fields is None or id(result) in self.values and not in_place:
            return False
        if kind in ("add", "mul") and isinstance(given[1], (int, float)):
            kind, fields, given = f"{kind}_scalar", {"other": float(given[1])}, given[:1]
        values = [self.read_by(kind, each) if isinstance(each, torch.Tensor) else None for each in given]
        known = [value for value in values if value]
        if any(value and tuple(each.shape) != value.shape for each, value in zip(given, values)):
            return False
        constants = [self.constant(self.held.get(id(each), each), result, beside=known) for each, value in zip(given, values) if not value]
        if not known or None in constants or any(value.params != {"dtype": "float32"} for value in known):
            return False
        layer = name(kind)
        of = enumerate(constants, 1)
        sources = [value or self.constant_value(layer, *reversed(next(of))) for value in values]
        self.emit(layer, kind, result, params, sources, in_place, **fields)
        return True

    @staticmethod
    def constant(given, result, params=None, beside=()):
        """A number, or a parameter of the model that all samples share, as model.json's constant; None: it is another thing. params: of
        codes that do not say their own. beside: the values that it is computed with."""
        tensor = torch.tensor(float(given)) if isinstance(given, (int, float)) else given
        if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.bool:  # a mask
            tensor = tensor.float()
        params = params or (_params_of(tensor) if isinstance(tensor, torch.Tensor) and tensor.dim() else {"dtype": "float32"})
        if not isinstance(tensor, torch.Tensor) or params is None or tensor.dim() > result.dim():
            return None
        numbers = tensor.int_repr() if tensor.is_quantized else tensor.detach()
        placed = next((each for each in beside if each and each.first), None)
        axis = (placed.at[0] if placed else 0) - result.dim() + tensor.dim()
        if axis >= 0:
            one = numbers.narrow(axis, 0, 1)
            if not bool((numbers == one).all()):
                return None
            numbers = one if placed and result.shape[placed.at[0]] != placed.first.shape[0] else one.squeeze(axis)
        return {**params, "shape": list(numbers.shape) or [1], "value": numbers.reshape(-1).numpy()}

    @staticmethod
    def constant_value(layer, numbers, nth=1):
        value = Value(f"{layer}.other" + (f"@{nth}" if nth > 1 else ""), torch.empty(0), {key: numbers[key] for key in ("dtype", "scale", "zero_point") if key in numbers})
        value.constant = numbers
        return value

    def embedding(self, op, name, result, bound):
        """Rows of a table. Indices of bags, one after the other with offsets, become a row a bag, -1 where it has no more."""
        indices, name = bound.get("indices"), name("embedding")
        self.recording.saw_quantized |= op.startswith("quantized.")
        fields = {"parameters": lambda: _table(bound.get("weight"))}
        source = self.find(indices)
        if "bag" not in op:
            source.indices = source.indices or Value(source.name, indices, _INDICES)
            one = {"one": True} if indices.dim() == 1 else {}
            return self.emit(name, "embedding", result, _params_of(result), source.indices, samples=len(result), **one, **fields)
        bags, weights = _bags(indices, bound.get("offsets"), bound.get("per_sample_weights"), bound["include_last_offset"])
        sources = [Value(f"{name}.indices", bags, _INDICES)]
        if weights is not None:
            sources.append(Value(f"{name}.weights", weights, {"dtype": "float32"}))
        mode = ("sum", "mean", "max")[bound["mode"]]
        return self.emit(name, "embedding_bag", result, _params_of(result), sources, samples=len(result), mode=mode, **fields)

    def moved(self, op, name, x, result, bound):
        """Values of any kind that move: a row of _MOVES, or a slice for each part of what is cut along an axis. False: another op."""
        rank = x.tensor.dim()
        order = _order(op, bound, rank)
        if order and (x.first or order[0]):
            return self.turned(name, x, result, order)
        if op == "aten.as_strided_" and tuple(result.shape) == x.shape and set(x.shape[2:]) == {1}:  # adaptive_avg_pool3d to one place
            self.bind(result, x, in_place=True)
            return True
        if op == "aten.flip" and len(bound["dims"]) == 1:
            return self.flipped(name, x, result, bound["dims"][0] % rank)
        if op in ("aten.index", "aten.index_select"):
            indices = bound["indices"] if op == "aten.index" else [None] * (bound["dim"] % rank) + [bound["index"]]
            dims = [dim for dim, index in enumerate(indices) if index is not None]
            index = indices[dims[0]] if dims else None
            if len(dims) != 1 or index.dim() != 1 or index.dtype not in (torch.int64, torch.int32) or self.find(index):
                return False
            size = x.tensor.shape[dims[0]]
            self.emit(name("index_select"), "index_select", result, _params_of(result), x, dim=dims[0], index=[each % size for each in index.tolist()])
            return True
        if op == "aten.roll" and len(bound["dims"]) > 1:  # one after the other
            *before, last = zip(bound["shifts"], bound["dims"])
            for shift, dim in before:
                rolled = torch.roll(x.tensor, shift, dim)
                self.emit(name("index_select"), "index_select", rolled, x.params, x,
                          **_rolled({"self": x.tensor, "dims": [dim], "shifts": [shift]}))
                x = self.find(rolled)
            bound = {**bound, "self": x.tensor, "shifts": last[:1], "dims": last[1:]}
        row = _MOVES.get(op)
        is_view = op == "aten.expand" and tuple(result.shape) == x.shape
        fields = row[1](bound) if row and isinstance(result, torch.Tensor) and not is_view else None
        if fields is not None:
            self.emit(name(row[0]), row[0], result, _params_of(result), x, **fields)
            return True
        return op in _PARTS and self.parts(op, name, x, result, bound)

    def turned(self, name, x, result, order):
        """Axes in another order, where the samples are not the first before or after."""
        (axis, outer), first = x.at, x.first or x
        samples, at = first.shape[0], (order.index(axis), outer)
        inner = x.tensor.shape[axis] // (outer * samples)
        own = [part for part, extent in (("outer", outer), ("inner", inner)) if extent > 1]
        apart = lambda axes: [part for each in axes for part in (own if each == axis else [each])]
        before = apart(range(len(order)))
        dims = [0, *(1 + before.index(part) for part in apart(order))]
        if dims != sorted(dims):
            whole = _samples_first(result, at, samples)
            first = self.emit(name("permute"), "permute", whole, _params_of(result), first, dims=dims)
        self.place(result, first, at)
        return True

    def parts(self, op, name, x, result, bound):
        dim = bound["dim"] % x.tensor.dim()
        start, along, (axis, outer), first = bound.get("index", 0) % x.tensor.shape[dim], _along(x, dim), x.at, x.first or x
        if along is None:
            return False
        dropped = {"drop": [along]} if op in ("aten.select", "aten.unbind") else {}
        at = (axis - 1 if dropped and dim < axis else axis, outer)
        for part in (result,) if isinstance(result, torch.Tensor) else result:
            end = start + (1 if dropped else part.shape[dim])
            whole = _samples_first(part, at, first.shape[0]) if x.first else part
            value = self.emit(name("slice"), "slice", whole, _params_of(part), first, dim=along, start=start, end=end, step=1, **dropped)
            if x.first:
                self.place(part, value, at)
            start = end
        return True

    def flipped(self, name, x, result, dim):
        along, first = _along(x, dim), x.first or x
        if along is None:
            return False
        whole = _samples_first(result, x.at, first.shape[0]) if x.first else result
        value = self.emit(name("index_select"), "index_select", whole, _params_of(result), first, dim=along,
                          index=list(reversed(range(whole.shape[along]))))
        if x.first:
            self.place(result, value, x.at)
        return True

    def stacked(self, name, values, result, dim):
        """One after the other along a new axis, which may come before the samples: joined along the next, and the axis made."""
        values = [None if value is None or value.first else value for value in values]
        axis = dim % result.dim() or 1
        if not values or None in values or not all(value.params for value in values) or axis >= values[0].tensor.dim():
            return False
        whole = result if dim % result.dim() else result.transpose(0, 1)
        joined = whole.reshape(*whole.shape[:axis], -1, *whole.shape[axis + 2:])
        params = _params_of(result)
        parts = self.emit(name("cat"), "cat", joined, params, values, dim=axis, **({"activation": "none"} if "scale" in params else {}))
        of = self.emit(name("reshape"), "reshape", whole, params, parts, of=parts)
        if whole is not result:
            self.place(result, of, (1, 1))
        return True

    def common_op(self, op, name, inputs, args, outputs, in_place):
        """Ops that all flows have: views, ReLU, and what is not replayed. name(short): the result's name."""
        first, source = inputs[0], next((value for value in inputs if value.params), None)
        if op in _VIEWS and len(outputs) == 1 and outputs[0].dtype == first.tensor.dtype and outputs[0].numel() == first.tensor.numel():
            self.view(name, op, first, outputs[0])
            return
        if not in_place:
            outputs = [out for out in outputs if id(out) not in self.values]  # dropout in eval mode returns what it got
        kind = op
        if source and len(outputs) == 1 and _params_of(outputs[0]) == source.params:
            kind = _RELU.get(op.rstrip("_"), op)
            if kind == "relu6" and op.startswith("aten.hardtanh") and tuple(args[1:3]) != (0, 6):
                kind = op
        if outputs:
            base = name(kind.split(".")[-1].strip("_"))
        for i, tensor in enumerate(outputs):
            self.emit(f"{base}.{i}" if i else base, kind, tensor, _params_of(tensor), source, in_place)


    def view(self, name, op, value, tensor):
        """The same numbers in the same order: of another shape it is a layer, where values have shapes."""
        value = value.copied or value
        is_same = tuple(tensor.shape) == tuple(value.tensor.shape)
        if is_same and value.params and tensor.is_quantized and _lies(tensor) != _lies(value.tensor):
            copy = Value(value.name, tensor, value.params)
            copy.copied = value
            return self.bind(tensor, copy)
        if is_same or not value.params or not tensor.dim() or not tensor.numel():
            return self.bind(tensor, value)
        first, at = value.first or value, _samples_in(tensor.shape, value)
        if at is None:
            return self.bind(tensor, self.lose(Value(self.functional(self.view_path(), "reshape"), tensor, value.params)))
        plain = at == (0, 1) and len(tensor) == first.shape[0]
        whole = tensor if plain else _samples_first(tensor, at, first.shape[0])
        if tuple(whole.shape) != first.shape:
            flat = whole.dim() == 2
            of_module = self.view_module()
            base = self.unique(of_module) if of_module else self.functional(self.view_path(), "flatten" if flat else "reshape")
            first = self.emit(base, "flatten" if flat else "reshape", whole, value.params, first, of=first, **({"start_dim": 1} if flat else {}))
        if not plain or value.first:
            self.place(tensor, first, at)

    def view_module(self):
        return None

    def view_path(self):
        return ""


def _first_sentence(error):
    return str(error).strip().split("\n")[0].split(". ")[0] or type(error).__name__


def _advice(op, message):
    engine = torch.backends.quantized.engine
    if "ngine" in message:
        return (f"; engine {engine} cannot run it on this CPU: set torch.backends.quantized.engine to one of {_engines()} "
                "before the model is converted or loaded")
    if op.startswith("quantized.") and "'CPU' backend" in message:
        return "; a float tensor reached a quantized module: put QuantStub before it, prepare and convert again"
    if "QUInt8" in message or "QuantizedCPU" in message:
        return "; a quantized tensor reached a float op: put DeQuantStub before it, prepare and convert again"
    if "Guard failed" in message:
        return "; the graph was exported for other shapes: give inputs of those, or dynamic_shapes to torch.export.export"
    if "Double" in message or "Float Tensor" in message:
        return "; pass float32 inputs: inputs.float(), of a file array.astype(numpy.float32)"
    return ""


def _engines():
    return ", ".join(engine for engine in torch.backends.quantized.supported_engines if engine != "none")


# ---------------------------------------------------------------- eager, FX and dynamic models: every operator, as it is dispatched

_LINEAR = {"quantized.linear": "none", "quantized.linear_relu": "relu"}
_LINEAR_DYNAMIC = {"quantized.linear_dynamic": "none", "quantized.linear_relu_dynamic": "relu"}
_CONVOLUTIONS = {f"quantized.conv{n}d{relu}": (f"conv{n}d", relu[1:] or "none") for n in (1, 2, 3) for relu in ("", "_relu")}
_CONVOLUTIONS.update({f"quantized.conv_transpose{n}d": (f"conv_transpose{n}d", "none") for n in (1, 2, 3)})


_CONVOLUTIONS.update({f"{op}_dynamic": (f"{kind}_dynamic", "none") for op, (kind, relu) in list(_CONVOLUTIONS.items()) if relu == "none"})


_CONVOLUTIONS.update({"quantized.conv2d_add": ("conv2d_add", "none"), "quantized.conv2d_add_relu": ("conv2d_add", "relu")})


def _spatial(kind):
    return int(kind.removesuffix("_dynamic").removesuffix("_add")[-2])


def _window_of(packed, kind):
    """A convolution's geometry; of one dimension the packed form has two, the first of 1."""
    n = _spatial(kind)
    fields = {"stride": packed.stride(), "padding": packed.padding(), "dilation": packed.dilation()}
    if "transpose" in kind:
        fields["output_padding"] = packed.output_padding()
    return {**{key: list(value)[-n:] for key, value in fields.items()}, "groups": packed.groups()}


def _bound(func, args, kwargs):
    """The arguments by the operator's names for them."""
    arguments = func._schema.arguments
    bound = {argument.name: argument.default_value for argument in arguments if argument.has_default_value()}
    bound.update(zip((argument.name for argument in arguments), args))
    return {**bound, **kwargs, "_overload": func._overloadname}


def _pool(bound):
    fields = {key: list(bound[key]) for key in ("kernel_size", "stride", "padding") if key in bound}
    fields["stride"] = fields["stride"] or fields["kernel_size"]
    if "dilation" in bound:
        fields["dilation"] = list(bound["dilation"])
    for key in ("ceil_mode", "count_include_pad"):
        if key in bound:
            fields[key] = bool(bound[key])
    if bound.get("divisor_override") is not None:
        fields["divisor_override"] = bound["divisor_override"]
    return fields


def _resampled(mode):
    def fields(bound):
        found = {"mode": mode}
        factors = bound.get("scale_factors") or [bound[key] for key in ("scales", "scales_d", "scales_h", "scales_w") if bound.get(key) is not None]
        if factors:
            found["scale_factor"] = [float(factor) for factor in factors]
        else:
            found["size"] = [int(extent) for extent in bound["output_size"]]
        if "align_corners" in bound:
            found["align_corners"] = bool(bound["align_corners"])
        return found
    return fields


def _numbers(*names, **renamed):
    """Attributes as they are called; renamed: model.json's name = the operator's."""
    def fields(bound):
        found = {name: bound[name] for name in names} | {name: bound[own] for name, own in renamed.items()}
        return {name: list(value) if isinstance(value, (list, tuple)) else value for name, value in found.items()}
    return fields


def _of_pad(bound):
    if bound["mode"] not in ("constant", "reflect", "replicate", "circular"):
        return None
    return {"pad": list(bound["pad"]), "mode": bound["mode"], "value": float(bound["value"] or 0)}


def _mirrored(bound):
    return {"pad": list(bound["padding"]), "mode": "reflect"}


def _norm(*names, **more):
    def fields(bound):
        arrays = {key: bound[own] for key, own in {"weight": "weight", "bias": "bias", **more}.items()}
        floats = {key: value.detach().float().reshape(-1).numpy() for key, value in arrays.items() if value is not None}
        return {**floats, "eps": float(bound["eps"]), **_numbers(*names)(bound)}
    return fields


def _slice(bound):
    end = bound["end"]
    return {**_numbers("dim", "start", "step")(bound), "end": None if end is None or end > 1 << 40 else end}


def _prelu(bound):
    weight = bound["weight"]
    return {"weight": weight.int_repr().reshape(-1).numpy(), "weight_scale": weight.q_scale(), "weight_zero_point": weight.q_zero_point(),
            "_constant": weight}


def _activated(activation, fields):
    return lambda bound: {**fields(bound), "activation": activation}


def _attention(bound):
    if bound["dropout_p"] or bound.get("enable_gqa"):
        return None
    scale = bound["scale"] if bound["scale"] is not None else 1 / math.sqrt(bound["query"].shape[-1])
    mask = bound["attn_mask"]
    return {"scale": float(scale), "is_causal": bool(bound["is_causal"]),
            **({} if mask is None else {"mask": "chosen" if mask.dtype == torch.bool else "added"})}


_NOTHING = _numbers()
_ACTIVATED = {"": "none", "_relu": "relu"}
# An operator on codes -> model.json's op, and its fields from the operator's arguments; another op is another row.
_OPS = {
    **{f"quantized.{op}{relu}": (op, (lambda activation: lambda bound: {"activation": activation})(activation))
       for op in ("add", "mul") for relu, activation in _ACTIVATED.items()},
    **{f"quantized.{op}{form}": (f"{op}_scalar", (lambda activation: lambda bound: {"other": float(bound["b"]), "activation": activation})(activation))
       for op in ("add", "mul") for relu, activation in _ACTIVATED.items() for form in (f"{relu}.Scalar", f"{relu}.Scalar2", f"_scalar{relu}")},
    **{f"quantized.cat{relu}": ("cat", (lambda activation: lambda bound: {"dim": bound["dim"], "activation": activation})(activation))
       for relu, activation in _ACTIVATED.items()},
    "aten.cat": ("cat", _numbers("dim")),
    "quantized.matmul": ("matmul", _NOTHING),
    "quantized.hardswish": ("hardswish", _NOTHING), "aten.hardswish": ("hardswish", _NOTHING),
    "aten.hardsigmoid": ("hardsigmoid", _NOTHING),
    "aten.sigmoid": ("sigmoid", _NOTHING), "quantized.sigmoid": ("sigmoid", _NOTHING), "aten.tanh": ("tanh", _NOTHING),
    "aten.leaky_relu": ("leaky_relu", _numbers("negative_slope")), "quantized.leaky_relu": ("leaky_relu", _numbers("negative_slope")),
    "quantized.elu": ("elu", _numbers("alpha")), "quantized.celu": ("celu", _numbers("alpha")),
    "aten.gelu": ("gelu", _numbers("approximate")),
    "aten.threshold": ("threshold", _numbers("threshold", "value")),
    "quantized.prelu": ("prelu", _prelu),
    "quantized.softmax": ("softmax", _numbers("dim")),
    "aten.clamp": ("clamp", _numbers("min", "max")), "aten.hardtanh": ("hardtanh", _numbers("min_val", "max_val")),
    "aten.quantized_max_pool1d": ("max_pool1d", _pool), "aten.quantized_max_pool2d": ("max_pool2d", _pool),
    "aten.quantized_max_pool3d": ("max_pool3d", _pool),
    "quantized.max_pool1d": ("max_pool1d", _pool), "quantized.max_pool2d": ("max_pool2d", _pool),
    "aten.avg_pool1d": ("avg_pool1d", _pool), "aten.avg_pool2d": ("avg_pool2d", _pool), "aten.avg_pool3d": ("avg_pool3d", _pool),
    "aten.adaptive_avg_pool2d": ("adaptive_avg_pool2d", _numbers("output_size")),
    "aten._adaptive_avg_pool2d": ("adaptive_avg_pool2d", _numbers("output_size")),
    "aten.adaptive_avg_pool3d": ("adaptive_avg_pool3d", _numbers("output_size")),
    "aten._adaptive_avg_pool3d": ("adaptive_avg_pool3d", _numbers("output_size")),
    "aten.mean.dim": ("mean", _numbers("dim", "keepdim")),
    "aten.upsample_nearest2d": ("interpolate", _resampled("nearest")), "aten.upsample_bilinear2d": ("interpolate", _resampled("bilinear")),
    "aten._upsample_nearest_exact2d": ("interpolate", _resampled("nearest-exact")),
    **{f"quantized.batch_norm{n}{relu}": ("batch_norm", _activated(activation, _norm(running_mean="mean", running_var="var")))
       for n in ("", "1d", "2d", "3d") for relu, activation in _ACTIVATED.items()},
    "quantized.layer_norm": ("layer_norm", _norm("normalized_shape")),
    "quantized.group_norm": ("group_norm", _norm("num_groups")),
    "quantized.instance_norm": ("instance_norm", _norm()),
    "aten.constant_pad_nd": ("pad", _numbers("pad", "value")),
    **{f"aten.reflection_pad{n}d": ("pad", _mirrored) for n in (1, 2, 3)},
}


def _geometry(bound):
    kernel = bound["weight"].shape[2:]
    every = lambda value: [value] * len(kernel) if isinstance(value, int) else list(value) * len(kernel) if len(value) == 1 else list(value)
    found = {key: every(bound[key]) for key in ("stride", "dilation")}
    if isinstance(bound["padding"], str):  # same: what is odd stands at the end
        reach = [step * (size - 1) if bound["padding"] == "same" else 0 for step, size in zip(found["dilation"], kernel)]
        padding = [[total // 2, total - total // 2] for total in reach]
    else:
        padding = every(bound["padding"])
    return {**found, "padding": padding, "groups": bound["groups"]}


def _outputs_first(weight, groups):
    """[in, out / groups, ...] as a convolution has them: [out, in / groups, ...]."""
    each = weight.shape[0] // groups
    return weight.reshape(groups, each, *weight.shape[1:]).swapaxes(1, 2).reshape(-1, each, *weight.shape[2:])


def _transposed_weights(bound):
    turned, added = _outputs_first(bound["weight"].detach(), bound["groups"]), bound["output_padding"]
    return {**_float_weights({**bound, "weight": turned}), "output_padding": added if isinstance(added, int) else list(added)}


def _float_weights(bound):
    """A product whose weights are no codes."""
    weight, bias = bound["weight"], bound.get("bias")
    found = {"weight": weight.detach().float().reshape(-1).numpy(), "out_features": len(weight),
             "bias": None if bias is None else bias.detach().float().numpy()}
    return found if weight.dim() == 2 else {**found, "kernel_size": list(weight.shape[2:]), **_geometry(bound)}


def _turned_weights(bound):
    """Of aten.mm and aten.addmm, as which a mode may see a linear layer."""
    bias = bound["self"] if bound["_overload"] == "default" and "mat1" in bound else None
    known = bias is None or bias.dim() == 1
    return _float_weights({"weight": bound["mat2"].t(), "bias": bias}) if known else None


def _of_softmax(bound):
    return None if bound.get("dtype") is not None and bound["dtype"] != torch.float32 else {"dim": bound["dim"]}


def _unless(name, value, fields=_NOTHING):
    """No row where an argument is another than what the op means."""
    return lambda bound: None if bound[name] != value else fields(bound)


def _clamped(bound):
    """Bounds that are tensors are no numbers of the file."""
    bounds = _numbers(*(name for name in ("min", "max") if name in bound))(bound)
    return None if any(isinstance(each, torch.Tensor) for each in bounds.values()) else bounds


def _largest(bound):
    """A pool to one place."""
    return {"dim": [2, 3], "keepdim": True} if set(bound["output_size"]) == {1} and bound["self"].dim() == 4 else None


def _reduced(bound):
    dim, rank = bound["dim"], bound["self"].dim()
    if dim is None or dim == [] or bound.get("dtype") not in (None, torch.float32):
        return None
    return {"dim": dim % rank if isinstance(dim, int) else [each % rank for each in dim], "keepdim": bound["keepdim"]}


def _spread(bound):
    found = _reduced(bound)
    correction = bound.get("correction", int(bound.get("unbiased", True)))
    return found and {**found, "correction": float(1 if correction is None else correction)}


def _groups_of(bound):
    return {**_norm()(bound), "num_groups": bound["group"]}


_INDEXED_POOL = {f"aten.max_pool{n}d{form}": (f"max_pool{n}d", ("self",), _pool) for n in (1, 2, 3) for form in ("", "_with_indices")}
_AVERAGE = {op: (own.removeprefix("aten._").removeprefix("aten."), ("self",), fields)
            for own, fields in {"aten.adaptive_avg_pool2d": _numbers("output_size"), "aten._adaptive_avg_pool2d": _numbers("output_size"),
                                "aten.adaptive_avg_pool3d": _numbers("output_size"), "aten._adaptive_avg_pool3d": _numbers("output_size"),
                                "aten.adaptive_avg_pool1d": _numbers("output_size")}.items() for op in (own,)}
# An operator on floats -> model.json's op, which arguments are values, and the fields.
_FLOAT_OPS = {
    **{f"aten.{op}.{other}": (op, ("self", "other"), _unless("alpha", 1)) for op in ("add", "sub") for other in ("Tensor", "Scalar")},
    **{f"aten.{op}.{other}": (op, ("self", "other"), _NOTHING) for op in ("mul", "div") for other in ("Tensor", "Scalar")},
    **{f"aten.{op}.default": (op, ("self", "other"), _NOTHING) for op in ("maximum", "minimum")},
    "aten.matmul": ("matmul", ("self", "other"), _NOTHING), "aten.bmm": ("matmul", ("self", "mat2"), _NOTHING),
    "aten.cat": ("cat", ("tensors",), _numbers("dim")),
    **{f"aten.{op}": ("scaled_dot_product_attention", ("query", "key", "value", "attn_mask"), _attention)
       for op in ("scaled_dot_product_attention", "_scaled_dot_product_flash_attention_for_cpu")},
    "aten.softplus": ("softplus", ("self",), _numbers("beta", "threshold")),
    **{f"aten.{op}": (op, ("self",), _NOTHING)
       for op in ("mish", "relu", "relu6", "hardswish", "hardsigmoid", "sigmoid", "silu", "tanh", "exp", "log", "erf", "sqrt", "rsqrt", "neg", "abs")},
    "aten.hardtanh": ("hardtanh", ("self",), _numbers("min_val", "max_val")), **{f"aten.clamp{end}": ("clamp", ("self",), _clamped) for end in ("", "_min", "_max")},
    "aten.square": ("mul", ("self", "self"), _NOTHING), "aten.pow 2": ("mul", ("self", "self"), _NOTHING),
    "aten.pow 0.5": ("sqrt", ("self",), _NOTHING), "aten.pow -0.5": ("rsqrt", ("self",), _NOTHING), "aten.pow -1": ("div", (1.0, "self"), _NOTHING),
    "aten.reciprocal": ("div", (1.0, "self"), _NOTHING), "aten.rsub.Scalar": ("sub", ("other", "self"), _unless("alpha", 1)),
    "aten.sum.dim_IntList": ("sum", ("self",), _reduced), "aten.linalg_vector_norm": ("vector_norm", ("self",), _unless("ord", 2, _reduced)),
    "aten.prod.dim_int": ("prod", ("self",), _reduced), "aten.logsumexp": ("logsumexp", ("self",), _reduced),
    **{f"aten.{op}.{form}": (op, ("self",), _spread) for op in ("var", "std") for form in ("correction", "dim")}, "aten.cumsum": ("cumsum", ("self",), _of_softmax),
    **{f"aten.{op}.{other}": (op, ("self", "other"), _NOTHING) for op in ("gt", "ge", "lt", "le", "eq", "ne") for other in ("Tensor", "Scalar")},
    "aten.where.self": ("where", ("condition", "self", "other"), _NOTHING),
    **{f"aten.masked_fill.{form}": ("where", ("mask", "value", "self"), _NOTHING) for form in ("Scalar", "Tensor")},
    **{f"aten.{own}": (op, ("self",), _reduced) for own, op in (("amax", "amax"), ("amin", "amin"), ("max.dim", "amax"), ("min.dim", "amin"))},
    "aten.leaky_relu": ("leaky_relu", ("self",), _numbers("negative_slope")),
    "aten.elu": ("elu", ("self",), _numbers("alpha", "scale", "input_scale")), "aten.celu": ("celu", ("self",), _numbers("alpha")),
    "aten.selu": ("elu", ("self",), lambda bound: {"alpha": 1.6732632423543772, "scale": 1.0507009873554805}),
    "aten.gelu": ("gelu", ("self",), _numbers("approximate")), "aten.threshold": ("threshold", ("self",), _numbers("threshold", "value")),
    **{f"aten.{private}{op}": (op, ("self",), _of_softmax) for op in ("softmax", "log_softmax") for private in ("", "_")},
    **_INDEXED_POOL, **_AVERAGE, **{f"aten.avg_pool{n}d": (f"avg_pool{n}d", ("self",), _pool) for n in (1, 2, 3)},
    "aten.mean.dim": ("mean", ("self",), _reduced),
    **{f"aten.{own}{n}d": ("interpolate", ("input", "self"), _resampled(mode)) for n in (1, 2, 3)
       for own, mode in (("upsample_nearest", "nearest"), ("_upsample_nearest_exact", "nearest-exact"))},
    **{f"aten.upsample_{mode}2d": ("interpolate", ("input", "self"), _resampled(mode)) for mode in ("bilinear", "bicubic")},
    "aten.upsample_linear1d": ("interpolate", ("input", "self"), _resampled("linear")),
    "aten.glu": ("glu", ("self",), _numbers("dim")), "aten.adaptive_max_pool2d": ("amax", ("self",), _largest),
    "aten.layer_norm": ("layer_norm", ("input",), _norm("normalized_shape")), "aten.native_layer_norm": ("layer_norm", ("input",), _norm("normalized_shape")),
    "aten.group_norm": ("group_norm", ("input",), _norm("num_groups")), "aten.native_group_norm": ("group_norm", ("input",), _groups_of),
    "aten.instance_norm": ("instance_norm", ("input",), _unless("running_mean", None, _norm())),
    "aten.batch_norm": ("batch_norm", ("input",), _unless("training", False, _norm(running_mean="running_mean", running_var="running_var"))),
    "aten.native_batch_norm": ("batch_norm", ("input",), _unless("training", False, _norm(running_mean="running_mean", running_var="running_var"))),
    "aten._native_batch_norm_legit_no_training": ("batch_norm", ("input",), _norm(running_mean="running_mean", running_var="running_var")),
    "aten.linear": ("linear_float", ("input",), _float_weights), "aten.mm": ("linear_float", ("self",), _turned_weights),
    "aten.addmm": ("linear_float", ("mat1",), _unless("alpha", 1, _unless("beta", 1, _turned_weights))), **{f"aten.conv{n}d": (f"conv{n}d_float", ("input",), _float_weights) for n in (1, 2, 3)},
    **{f"aten.conv_transpose{n}d": (f"conv_transpose{n}d_float", ("input",), _transposed_weights) for n in (1, 2, 3)},
    **{f"aten.{op}": ("prelu", ("self",), lambda bound: {"weight": bound["weight"].detach().float().reshape(-1).numpy()})
       for op in ("prelu", "_prelu_kernel")},
    "aten.constant_pad_nd": ("pad", ("self",), _numbers("pad", "value")), "aten.pad": ("pad", ("self",), _of_pad),
    **{f"aten.reflection_pad{n}d": ("pad", ("self",), _mirrored) for n in (1, 2, 3)},
}
def _expanded(bound):
    """Axes that the input has not are in front of the samples."""
    return {"size": list(bound["size"])} if len(bound["size"]) == bound["self"].dim() else None


def _repeated(bound):
    return {"dims": list(bound["repeats"])} if len(bound["repeats"]) == bound["self"].dim() and bound["repeats"][0] == 1 else None


def _rolled(bound):
    """Along one axis."""
    x, dims, shifts = bound["self"], bound["dims"], bound["shifts"]
    if len(dims) != 1:
        return None
    size = x.shape[dims[0]]
    return {"dim": dims[0] % x.dim(), "index": [(place - shifts[0]) % size for place in range(size)]}


# An operator that moves values of any kind -> op and fields; fields of None: not so simply.
_MOVES = {
    "aten.expand": ("expand", _expanded), "aten.repeat": ("tile", _repeated), "aten.roll": ("index_select", _rolled),
    "aten.swapaxes": ("transpose", _numbers(dim0="axis0", dim1="axis1")),
    "aten.permute": ("permute", _numbers("dims")), "aten.transpose": ("transpose", _numbers("dim0", "dim1")), "aten.slice": ("slice", _slice),
    "aten.pixel_shuffle": ("pixel_shuffle", _numbers("upscale_factor")), "aten.pixel_unshuffle": ("pixel_unshuffle", _numbers("downscale_factor")),
    "aten.channel_shuffle": ("channel_shuffle", _numbers("groups")), "aten.im2col": ("unfold", _numbers("kernel_size", "dilation", "padding", "stride")),
}
# Computed one by one: where the samples are changes nothing.
_ONE_BY_ONE = {"quantize", "dequantize", "identity", "relu", "relu6", "hardtanh", "clamp", "add", "mul", "sub", "div", "maximum", "minimum", "where", "gt", "ge", "lt", "le", "eq", "ne",
               "add_scalar", "mul_scalar", "sigmoid", "tanh", "hardswish", "hardsigmoid", "silu", "gelu", "elu", "celu", "leaky_relu", "threshold",
               "softplus", "mish", "exp", "log", "erf", "sqrt", "rsqrt", "neg", "abs"}
# Computed along this many of the last axes.
_LAST_AXES = {"linear": 1, "linear_dynamic": 1, "linear_float": 1, "matmul": 2, "scaled_dot_product_attention": 2}


def _translated(op, fields, x, sources, result):
    """A layer's fields, and where its result has the samples, of a tensor that has them elsewhere; None: it is not computed so."""
    axis, rank = x.at[0], x.tensor.dim()
    if any(not each.constant and (each.at, each.tensor.dim(), bool(each.first)) != (x.at, rank, True) for each in sources):
        return None
    last = len(fields["normalized_shape"]) if op == "layer_norm" else len(fields["pad"]) // 2 if op == "pad" else _LAST_AXES.get(op)
    if op in _ONE_BY_ONE or last and axis < rank - last:
        return fields, x.at
    if op in ("cat", "softmax", "log_softmax", "cumsum", "glu", "slice", "index_select"):
        along = _along(x, fields["dim"] % rank)
        return along and ({**fields, "dim": along}, x.at)
    if op in ("expand", "tile"):
        (key, sizes), = fields.items()
        same, parts = (-1, 1)[op == "tile"], len(x.first.shape) - rank
        if sizes[axis] not in (same, x.tensor.shape[axis]) or op == "tile" and sizes[axis] != 1:
            return None
        return {key: [same, *sizes[:axis], *[same] * parts, *sizes[axis + 1:]]}, x.at
    if op in ("mean", "sum", "prod", "var", "std", "logsumexp", "vector_norm", "amax", "amin"):
        dims = [dim % rank for dim in (fields["dim"] if isinstance(fields["dim"], list) else [fields["dim"]])]
        along = [_along(x, dim) for dim in dims]
        gone = 0 if fields["keepdim"] else sum(dim < axis for dim in dims)
        return None if None in along else ({**fields, "dim": along}, (axis - gone, x.at[1]))
    return None


def _order(op, bound, rank):
    """Of a transposition: which axis of the input each is."""
    if op == "aten.permute":
        return [dim % rank for dim in bound["dims"]]
    if op not in ("aten.transpose", "aten.swapaxes"):
        return None
    order = list(range(rank))
    one, other = (bound[name] % rank for name in (("dim0", "dim1") if op == "aten.transpose" else ("axis0", "axis1")))
    order[one], order[other] = other, one
    return order


def _samples_in(shape, value):
    """Where a view of a value has the samples; None: nowhere, or torn apart."""
    first, (axis, outer) = value.first or value, value.at
    if not value.first and shape[0] == first.shape[0]:
        return (0, 1)
    before, found = math.prod(value.tensor.shape[:axis]) * outer, []
    for i, extent in enumerate(shape):
        over, rest = divmod(before, math.prod(shape[:i]))
        if not rest and over and extent % (over * first.shape[0]) == 0:
            found.append((i, over))
    if first.shape[0] > 1 or not found:
        return next(iter(found), None)
    # one sample is anywhere: where more would be
    alone = next((each for each in found if each[1] == shape[each[0]] == 1), None)
    return alone or found[0 if len(shape) < value.tensor.dim() else -1]


# What a dispatch mode sees in pieces -> the operator as a whole.
_WHOLE = {
    torch.nn.functional.linear: torch.ops.aten.linear.default, torch.matmul: torch.ops.aten.matmul.default,
    torch.Tensor.matmul: torch.ops.aten.matmul.default, torch.Tensor.__matmul__: torch.ops.aten.matmul.default,
    torch.bmm: torch.ops.aten.bmm.default, torch.conv1d: torch.ops.aten.conv1d.default, torch.conv2d: torch.ops.aten.conv2d.default,
    torch.conv3d: torch.ops.aten.conv3d.default, torch.conv_transpose1d: torch.ops.aten.conv_transpose1d.default,
    torch.conv_transpose2d: torch.ops.aten.conv_transpose2d.input, torch.conv_transpose3d: torch.ops.aten.conv_transpose3d.input,
    torch.nn.functional.scaled_dot_product_attention: torch.ops.aten.scaled_dot_product_attention.default,
    torch.nn.functional.instance_norm: torch.ops.aten.instance_norm.default,
}
_PARTS = ("aten.split", "aten.split_with_sizes", "aten.unsafe_split", "aten.unsafe_split_with_sizes", "aten.chunk", "aten.unsafe_chunk", "aten.select", "aten.unbind")
_REPLAYED = {*_OF_MATRICES, *(op for op, _ in _OPS.values()), *(op for op, _ in _CONVOLUTIONS.values()), "flatten", "reshape",
             "embedding", "embedding_bag", "index_select", *(op for op, _ in _MOVES.values()), *(op for op, _, _ in _FLOAT_OPS.values())}
# Values move, or the params stay: they follow from the input.
_KEEPS = {"identity", "flatten", "reshape", "permute", "transpose", "slice", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "index_select", "expand", "tile", "unfold"}
_QFUNCTIONAL = getattr(getattr(torch.ao.nn, "quantized", None), "QFunctional", ())
_CONTAINERS = (torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict, torch.fx.GraphModule)


class _Frame:
    """A module that is running."""

    def __init__(self, path, module):
        self.path, self.module = path, module
        # Operators of torch's own modules carry the module's name; those of the user's forward are functional ("block.relu").
        self.named_after = type(module).__module__.startswith("torch.") and not isinstance(module, _CONTAINERS)
        self.named = self.did_something = False


class _EagerWatch(_Watch):
    def __init__(self, model, recording):
        super().__init__(model, recording)
        self.unpacked = {}
        self.functional_modules = {m: path for path, m in model.named_modules() if isinstance(m, _QFUNCTIONAL)}
        self.ran_static = self.ran_dynamic = self.ran_torchao = self.paused = False
        self.recurs = False
        self.label = None  # what the next layer is called

    def run(self, args, kwargs):
        self.frames = []
        watch = self

        class Dispatch(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                return watch.op(func, args, kwargs or {})

        class Functions(TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                if func is torch.nn.functional.linear and _is_torchao_int8(args[1] if len(args) > 1 else None):
                    return watch.torchao_linear(*args, **(kwargs or {}))
                if func is torch.nn.functional.pad:
                    return watch.pad(*args, **(kwargs or {}))
                if func in _WHOLE and not watch.paused:
                    return watch.whole(func, args, kwargs or {})
                return func(*args, **(kwargs or {}))

        self.dispatch = Dispatch
        with contextlib.ExitStack() as hooks:
            for path, module in self.model.named_modules():
                hooks.callback(module.register_forward_pre_hook(self._entering(path)).remove)
                hooks.callback(module.register_forward_hook(self._leaving(path), always_call=True).remove)
            with Functions(), Dispatch():
                self.model(*args, **kwargs)

    def flow(self):
        if self.ran_torchao:
            return "torchao"
        if self.ran_dynamic and not self.ran_static:
            return "dynamic"
        return "fx" if any(isinstance(module, torch.fx.GraphModule) for module in self.model.modules()) else "eager"

    def _entering(self, path):
        def hook(module, args):
            for frame in self.frames:
                frame.did_something = True
            self.frames.append(_Frame(path, module))
        return hook

    def _leaving(self, path):
        def hook(module, args, output):
            frame = self.frames.pop()
            if frame.did_something or not args or output is not args[0] or not isinstance(output, torch.Tensor):
                return
            value = self.find(output)
            is_observer = path.endswith("activation_post_process")  # the empty place of one, in a QFunctional
            if value and value.params and path and not is_observer:  # what is left of a fused module, and dropout
                self.emit(self.unique(path), "identity", output, value.params, value)
        return hook

    def view_module(self):
        frame = self.frames[-1] if self.frames else None
        return frame.path if frame and frame.path and isinstance(frame.module, (torch.nn.Flatten, torch.nn.Unflatten)) else None

    def view_path(self):
        return self.frames[-1].path if self.frames else ""

    def name(self, op):
        label, self.label = self.label, None
        if label:
            return self.unique(label)
        owner = self._functional_module()
        if owner:
            return self.unique(owner)
        frame = self.frames[-1] if self.frames else _Frame("", self.model)
        if frame.named_after and frame.path and not frame.named:
            frame.named = True
            return self.unique(frame.path)
        return self.functional(frame.path, op)

    def _functional_module(self):
        """The path of the QFunctional whose method is running: no hook sees self.ff.add(x, y), the Python stack does."""
        frame = sys._getframe()
        for _ in range(12 if self.functional_modules else 0):
            frame = frame.f_back
            module = frame.f_locals.get("self") if frame else None
            if isinstance(module, _QFUNCTIONAL):
                return self.functional_modules.get(module)
        return None

    def whole(self, func, args, kwargs):
        """A function on floats that PyTorch takes apart, into pieces that have other shapes than its values: one layer."""
        leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        inputs = [value for value in map(self.find, leaves) if value and value.params]
        if not inputs or any(leaf.is_quantized or leaf.dtype != torch.float32 for leaf in leaves):
            return func(*args, **kwargs)
        self.paused = True
        try:
            result = func(*args, **kwargs)
            overload = _WHOLE[func]
            if func is torch.nn.functional.instance_norm:  # its arguments come in another order
                named = inspect.signature(func).bind(*args, **kwargs)
                named.apply_defaults()
                args, kwargs = (), named.arguments
            bound = _bound(overload, args, kwargs)
        except Exception:
            self.failed_at = (self.frames[-1].path if self.frames else "", func.__name__)
            raise
        finally:
            self.paused = False
        for frame in self.frames:
            frame.did_something = True
        op = overload._schema.name.replace("::", ".")
        if not self.float_op(op, self.name, result, False, bound):
            self.common_op(op, self.name, inputs, args, [result], False)
        return result

    def torchao_linear(self, x, weight, bias=None):
        """One layer, whose operators are not looked at; a static one's codes are a value of their own."""
        source = self.find(x)
        self.paused = True
        try:
            result = torch.nn.functional.linear(x, weight, bias)
            static = weight.act_quant_scale is not None
            codes = _torchao_codes(x, weight) if static else None
        except Exception:
            self.failed_at = (self.frames[-1].path if self.frames else "", "torchao linear")
            raise
        finally:
            self.paused = False
        for frame in self.frames:
            frame.did_something = True
        self.ran_torchao = True
        name, params, how = self.name("linear"), _params_of(result), weight.act_quant_kwargs
        layer = {"features": (x.shape[-1], result.shape[-1]), "activation": "none",
                 "parameters": lambda: self.torchao_parameters(name, weight, bias)}
        if not source or not source.params or (static and weight.act_quant_scale.numel() != 1):
            self.emit(name, "torchao linear", result, params, source)
        elif static:
            self.emit(self.unique(f"{name}.quantize"), "quantize", codes, _torchao_params(weight), source)
            self.emit(name, "linear", result, params, self.find(codes), **layer)
        else:
            asymmetric = {"asymmetric_quantize_inputs": True} if how.mapping_type.name == "ASYMMETRIC" else {}
            self.emit(name, "linear_dynamic", result, params, source, reduce_range=bool(how.reduce_range),
                      per_row=type(how.granularity).__name__ == "PerRow", **asymmetric, **layer)
        return result

    def pad(self, x, pad, mode="constant", value=None):
        """One layer where it copies values: circular padding is slices that are copied, others are operators without a name for codes."""
        source = self.find(x)
        if mode == "constant" or source is None or not source.params:
            return torch.nn.functional.pad(x, pad, mode, value)
        self.paused = True
        try:
            result = torch.nn.functional.pad(x, pad, mode, value)
        except Exception:
            self.failed_at = (self.frames[-1].path if self.frames else "", f"pad in mode {mode}")
            raise
        finally:
            self.paused = False
        for frame in self.frames:
            frame.did_something = True
        path = self.frames[-1].path if self.frames else ""  # a module's own name is its convolution's
        self.emit(self.functional(path, "pad"), "pad", result, _params_of(result), source, pad=list(pad), mode=mode)
        return result

    def torchao_parameters(self, name, weight, bias):
        scale = weight.scale.reshape(-1).double().numpy()
        return _linear_parameters(name, weight.qdata, float(scale[0]) if len(scale) == 1 else scale, 0, bias)

    def recurrent(self, op, result, bound):
        """A dynamic LSTM or GRU as the operators that it is made of: linears, and float gates. False where those give other values."""
        net = _Recurrent(op, bound)
        if not net.known or not all(map(torch.equal, net.run(), tree_leaves(result))):
            return False
        frame = self.frames[-1]
        path, frame.named, self.ran_dynamic, self.recurs = frame.path, True, True, True
        for frame in self.frames:
            frame.did_something = True

        def label(short):
            self.label = f"{path}.{short}" if path and short else short

        with self.dispatch():
            again = net.run(label, self.state, self.quietly if net.steps() > _MOST_STEPS else contextlib.nullcontext)
        self.recurs = False
        for tensor, own in zip(tree_leaves(result), again):
            value = self.find(own)
            if value:
                self.bind(tensor, value)
        return True

    @contextlib.contextmanager
    def quietly(self):
        """What runs is no layer, and what comes of it is an input of whoever reads it."""
        before, self.paused = self.paused, True
        try:
            yield
        finally:
            self.paused = before

    def emit(self, *args, **kwargs):
        with self.quietly():  # a value turned so that its samples are first is no layer
            return super().emit(*args, **kwargs)

    def state(self, name, tensor):
        """A hidden state that the caller gives is a value of its own; zeros are none."""
        path = self.frames[-1].path
        if bool(tensor.any()) and not self.find(tensor):
            self.bind(tensor, Value(self.functional(path, name), tensor, _params_of(tensor)))

    def op(self, func, args, kwargs):
        if self.paused:
            return func(*args, **kwargs)
        leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        op = func._schema.name.replace("::", ".")
        inputs = [] if op in _CONSTANTS else [self.find(leaf, op in _VIEWS) for leaf in leaves]
        x = inputs[0] if inputs and isinstance(args[0] if args else None, torch.Tensor) else None
        inputs = [value for value in inputs if value]
        in_place = func._schema.is_mutable or (op == "quantized.relu6" and args[1:2] == (True,)) or op.startswith("quantized.conv2d_add")
        if in_place:
            self.keep(leaves)
        try:
            result = func(*args, **kwargs)
        except Exception:
            self.failed_at = (self.frames[-1].path if self.frames else "", op)
            raise
        if op in _RECURRENT and x and x.params and self.recurrent(op, result, _bound(func, args, kwargs)):
            return result
        if inputs:
            for frame in self.frames:
                frame.did_something = True
            self.record(op, x, inputs, args, result, in_place, _bound(func, args, kwargs))
            self.before, self.held = {}, {}
            self.share_version(func, tree_leaves(result), args)
        return result

    def record(self, op, x, inputs, args, result, in_place, bound):
        """x: the first argument's value, if it has one; inputs: all that have."""
        params = _params_of(result) if isinstance(result, torch.Tensor) else None
        if x and x.params and op in (*_LINEAR, *_LINEAR_DYNAMIC):
            name = self.name("linear")
            layer = {"features": (args[0].shape[-1], result.shape[-1]), "parameters": lambda: self.parameters(name, op, args, result)}
            if op in _LINEAR:
                self.ran_static = True
                self.emit(name, "linear", result, params, x, activation=_LINEAR[op], **layer)
            else:
                self.ran_dynamic = True
                reduce_range = bool(args[2]) if len(args) > 2 else False
                self.emit(name, "linear_dynamic", result, params, x, reduce_range=reduce_range, activation=_LINEAR_DYNAMIC[op], **layer)
        elif x and params and op == "aten.quantize_per_tensor" and x.params == {"dtype": "float32"}:
            self.emit(self.name("quantize"), "quantize", result, params, x)
        elif x and params and op == "aten.dequantize" and "scale" in (x.params or {}):
            self.emit(self.name("dequantize"), "dequantize", result, params, x)
        elif params and op in _EMBEDDINGS and self.find(bound["indices"]):
            self.embedding(op, self.name, result, bound)
        elif params and inputs[0].params and op in _CONVOLUTIONS:
            kind, activation = _CONVOLUTIONS[op]
            name, packed = self.name(kind), bound["packed_weight"]
            transposed, is_dynamic = kind.startswith("conv_transpose"), kind.endswith("_dynamic")
            self.ran_dynamic, self.ran_static = self.ran_dynamic or is_dynamic, self.ran_static or not is_dynamic
            asked = {"reduce_range": bool(bound["reduce_range"])} if is_dynamic else {}
            sources = inputs[:2] if kind.endswith("_add") else inputs[0]
            self.emit(name, kind, result, params, sources, activation=activation, **asked, **_window_of(packed, kind),
                      parameters=lambda: self.convolution(name, packed, transposed, _spatial(kind) == 1))
        elif params and all(value.params for value in inputs) and self.replayed(op, inputs, args, result, params, in_place, bound):
            pass
        elif op == "aten.stack" and self.stacked(self.name, [self.find(each) for each in args[0]], result, bound["dim"]):
            pass
        elif x and x.params and self.moved(op, self.name, x, result, bound):
            pass
        elif self.float_op(op, self.name, result, in_place, bound):
            pass
        else:
            outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
            self.common_op(op, self.name, inputs, args, outputs, in_place)

    def replayed(self, op, inputs, args, result, params, in_place, bound):
        """Records a row of _OPS; False if it is none, or computes on floats."""
        row = _OPS.get(f"{op.rstrip('_')}.{bound['_overload']}") or _OPS.get(op.rstrip("_"))
        if row is None or not (result.is_quantized and all(value.tensor.is_quantized for value in inputs)):
            return False
        kind, fields = row
        fields = fields(bound)
        inputs = [value for value in inputs if value.tensor is not fields.get("_constant")]
        fields.pop("_constant", None)
        if fields is None or not inputs:
            return False
        name = self.name(kind)
        if kind in ("add", "mul", "matmul", "cat"):  # whose operands may be constants
            operands = [leaf for leaf in tree_leaves(args) if isinstance(leaf, torch.Tensor)]
            constants = {id(each): self.constant(each, result, beside=inputs) for each in operands if not self.find(each)}
            if None in constants.values():
                self.emit(name, op, result, params, inputs, in_place)
                return True
            inputs = [self.find(each) or self.constant_value(name, constants[id(each)]) for each in operands]
        self.emit(name, kind, result, params, inputs, in_place, **fields)
        return True

    def convolution(self, name, packed, transposed, one_dimension):
        key = self.frames[-1].path if self.frames and self.frames[-1].named_after else name
        if key not in self.unpacked:
            try:
                weight, bias = packed.unpack()
            except RuntimeError as error:  # QNNPACK gives those of three axes back to nobody
                _warn(f"{name}: its weights cannot be unpacked ({_first_sentence(error)}): the layer is captured, not replayed")
                return self.unpacked.setdefault(key, {})
            found = self.unpacked[key] = _packed_parameters(name, weight, bias, 1 if transposed else 0)
            if one_dimension and found["weight"].ndim == 4:  # packed as an image of one row
                found["weight"] = found["weight"].reshape(*found["weight"].shape[:2], -1)
        return self.unpacked[key]

    def parameters(self, name, op, args, result):
        """A module's parameters, once however often it is called."""
        key = self.frames[-1].path if self.frames and self.frames[-1].named_after and not self.recurs else name
        key = key.split("@")[0] if self.recurs else key
        if key not in self.unpacked:
            try:
                weight, bias = args[1].unpack()
            except RuntimeError as error:
                raise ExportError(f"{name}: its weights cannot be unpacked ({_first_sentence(error)}); qdiff replays int8 weights, "
                                  "per tensor or per channel along axis 0") from error
            self.unpacked[key] = _packed_parameters(name, weight, bias)
            if not _same_when_packed_again(op, weight, bias, args, result):
                _warn(f"{name}: engine {torch.backends.quantized.engine} computes other values from this layer's parameters "
                      "than the model did: the model was converted or loaded under another engine, or its scale was changed after "
                      "its first call. Set torch.backends.quantized.engine before converting or loading")
        return self.unpacked[key]


_RECURRENT = {"aten.quantized_lstm", "aten.quantized_gru", "quantized.quantized_lstm_cell_dynamic", "quantized.quantized_gru_cell_dynamic",
              "quantized.quantized_rnn_tanh_cell_dynamic", "quantized.quantized_rnn_relu_cell_dynamic"}


# Steps whose gates are layers, 10 each; of a longer sequence its linears are.
_MOST_STEPS = 64


class _Recurrent:
    """What PyTorch computes for a dynamic LSTM, GRU or cell (RNN.cpp): the linear of the inputs once for all steps, that of the hidden
    state once a step, gates in float32. run(): the operator's results; label, state: what a watch wants to be told."""

    def __init__(self, op, bound):
        self.step = self.lstm_step if "lstm" in op else self.gru_step if "gru" in op else self.plain_step
        self.has_cell, self.is_cell, self.bound = "lstm" in op, "cell" in op, bound
        self.activation = torch.relu if "relu" in op else torch.tanh
        self.known = True
        if self.is_cell:
            self.cells = [(bound["w_ih"], bound["w_hh"], True)]
        else:
            states = [cell.__getstate__()[0] for cell in bound["params"]] if isinstance(bound.get("params"), (list, tuple)) else []
            self.known = bool(states) and all(state[0] == "quantized_dynamic" for state in states) and not bound.get("train")
            self.cells = [(state[4][0], state[4][1], bool(state[3][0])) for state in states]

    def run(self, label=lambda short: None, state=lambda name, tensor: None, gates=contextlib.nullcontext):
        self.label, self.state, self.gates = label, state, gates
        given = self.bound["hx"] if self.has_cell else [self.bound["hx"]]
        if self.is_cell:
            for short, tensor in zip(("h0", "c0"), given):
                state(short, tensor)
            return self.cell(self.bound["input"], list(given), "")
        x = self.bound["input"] if self.bound["batch_first"] else self.bound["input"].transpose(0, 1)
        directions = 2 if self.bound["bidirectional"] else 1
        last = []
        for layer in range(len(self.cells) // directions):
            ways = [self.layer(x, [hidden[layer * directions + way] for hidden in given], layer, way) for way in range(directions)]
            x = torch.cat([outputs for outputs, _ in ways], 2) if directions == 2 else ways[0][0]
            last += [hidden for _, hidden in ways]
        ends = [torch.stack([hidden[i] for hidden in last], 0) for i in range(len(given))]
        return [x if self.bound["batch_first"] else x.transpose(0, 1), *ends]

    def steps(self):
        return 0 if self.is_cell else len(self.cells) * self.bound["input"].shape[1 if self.bound["batch_first"] else 0]

    def layer(self, x, hidden, layer, way):
        suffix = f"_l{layer}{'_reverse' if way else ''}"
        cell = self.cells[2 * layer + way if self.bound["bidirectional"] else layer]
        for short, tensor in zip(("h0", "c0"), hidden):
            self.state(short + suffix, tensor)
        inputs = self.linear(x, cell[0], cell[2], "ih" + suffix)
        outputs = [None] * x.shape[1]
        for t in reversed(range(x.shape[1])) if way else range(x.shape[1]):
            own = self.linear(hidden[0], cell[1], cell[2], "hh" + suffix)
            with self.gates():
                hidden = self.step(inputs.select(1, t), own, hidden)
            self.state("h" + suffix, hidden[0])
            outputs[t] = hidden[0]
        return torch.stack(outputs, 1), hidden

    def cell(self, x, hidden, suffix):
        w_ih, w_hh, reduce_range = self.cells[0]
        return self.step(self.linear(x, w_ih, reduce_range, "ih"), self.linear(hidden[0], w_hh, reduce_range, "hh"), hidden)

    def linear(self, x, packed, reduce_range, short):
        self.label(short)
        result = torch.ops.quantized.linear_dynamic(x, packed, reduce_range)
        self.label(None)  # of zeros it is no layer, and what comes next is not called so
        return result

    def lstm_step(self, inputs, own, hidden):
        i, f, g, o = (own + inputs).chunk(4, 1)
        c = torch.sigmoid(f) * hidden[1] + torch.sigmoid(i) * torch.tanh(g)
        return [torch.sigmoid(o) * torch.tanh(c), c]

    def gru_step(self, inputs, own, hidden):
        new, hn = inputs.chunk(3, 1)[2], own.chunk(3, 1)[2]
        # views of one sum, as RNN.cpp has them: which values are vectors follows from their strides
        r, z = (torch.sigmoid(gate) for gate in (own + inputs).chunk(3, 1)[:2])
        n = torch.tanh(new + hn * r)
        return [(hidden[0] - n) * z + n]

    def plain_step(self, inputs, own, hidden):
        return [self.activation(own + inputs)]


def _torchao_codes(x, weight):
    how = weight.act_quant_kwargs
    own = type(weight).from_hp(x, how.granularity, how.mapping_type, weight.act_quant_scale, weight.act_quant_zero_point,
                               reduce_range=how.reduce_range)
    return own.qdata


def _torchao_params(weight):
    zero_point = weight.act_quant_zero_point
    params = {"dtype": "int8", "scale": float(weight.act_quant_scale), "zero_point": 0 if zero_point is None else int(zero_point)}
    return {**params, "quant_min": -64, "quant_max": 63} if weight.act_quant_kwargs.reduce_range else params


_EMBEDDINGS = {*(f"quantized.embedding{bag}_{bits}" for bag in ("", "_bag") for bits in ("byte", "4bit")), "aten.embedding"}
_INDICES = {"dtype": "int32", "scale": 1.0, "zero_point": 0}


def _table(weight):
    """A table of floats, or of codes with floats for scale and zero point of each row."""
    if isinstance(weight, torch.Tensor):
        return {"weight": weight.detach().float().reshape(-1).numpy(), "weight_dtype": "float32", "embedding_dim": weight.shape[1]}
    weight = weight.unpack()
    codes = weight.int_repr().reshape(-1).numpy()
    if weight.dtype == torch.quint4x2:  # the first of two in the low bits
        codes = np.stack([codes & 15, codes >> 4], 1).reshape(-1)[: weight.numel()]
    return {"weight": codes, "weight_dtype": "uint4" if weight.dtype == torch.quint4x2 else "uint8", "embedding_dim": weight.shape[1],
            "weight_scale": weight.q_per_channel_scales().double().numpy(), "weight_zero_point": weight.q_per_channel_zero_points().double().numpy()}


def _bags(indices, offsets, weights, include_last):
    if indices.dim() == 2:
        return indices, weights
    ends = [*offsets.tolist(), *([] if include_last else [len(indices)])]
    longest = max([1, *(end - start for start, end in zip(ends, ends[1:]))])
    width = 1 << (longest - 1).bit_length()  # so that other calls' bags are likely to fit
    bags = torch.full((len(ends) - 1, width), -1, dtype=torch.int64)
    of_weights = None if weights is None else torch.zeros(bags.shape)
    for bag, (start, end) in enumerate(zip(ends, ends[1:])):
        bags[bag, : end - start] = indices[start:end]
        if weights is not None:
            of_weights[bag, : end - start] = weights[start:end]
    return bags, of_weights


def _same_when_packed_again(op, weight, bias, args, result):
    """The packed form, not torch.backends.quantized.engine, decides which kernel runs, and does not tell its engine."""
    try:
        again = torch.ops.quantized.linear_prepack(weight, bias)
        values = getattr(torch.ops.quantized, op.split(".")[1])(args[0], again, *args[2:])
    except RuntimeError:
        return False
    return torch.equal(values.int_repr(), result.int_repr()) if result.is_quantized else torch.equal(values, result)


def _packed_parameters(where, weight, bias, axis=0):
    """Weights and bias of an eager, FX or dynamic layer, as numpy arrays. axis: of the output channels."""
    if weight.dtype != torch.qint8:
        raise ExportError(f"{where}: weights of {weight.dtype}; only 8-bit weights (torch.qint8) can be replayed: "
                          "use a qconfig whose weight observer has dtype=torch.qint8")
    if weight.qscheme() in (torch.per_channel_affine, torch.per_channel_symmetric):
        if weight.q_per_channel_axis() != axis:
            raise ExportError(_wrong_axis(where, weight.q_per_channel_axis()))
        scale, zero_point = weight.q_per_channel_scales().double().numpy(), weight.q_per_channel_zero_points().numpy()
    elif weight.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        scale, zero_point = weight.q_scale(), weight.q_zero_point()
    else:
        raise ExportError(f"{where}: weights of {weight.qscheme()}; use torch.per_channel_symmetric or torch.per_tensor_symmetric")
    return _linear_parameters(where, weight.int_repr(), scale, zero_point, bias)


def _linear_parameters(where, weight, scale, zero_point, bias):
    if bias is not None and not bool(torch.isfinite(bias).all()):
        raise ExportError(f"{where}: the bias holds NaN or infinity")
    return {"weight": weight.contiguous().numpy(), "weight_dtype": "int8", "weight_scale": scale, "weight_zero_point": zero_point,
            "bias": None if bias is None else bias.detach().float().numpy(), "bias_dtype": "float32"}


def _wrong_axis(where, axis):
    return (f"{where}: weights per channel along axis {axis}; a linear layer has one scale for each output, axis 0: "
            "use a weight observer with ch_axis=0")


# ---------------------------------------------------------------- convert_pt2e graphs: node by node

_QUANTIZE = ("quantized_decomposed.quantize_per_tensor",)
_DEQUANTIZE = ("quantized_decomposed.dequantize_per_tensor",)
_DEQUANTIZE_WEIGHT = (*_DEQUANTIZE, "quantized_decomposed.dequantize_per_channel")


def _target(node):
    """"aten.linear" for torch.ops.aten.linear.default."""
    if not isinstance(node, torch.fx.Node) or node.op != "call_function":
        return ""
    if isinstance(node.target, torch._ops.OpOverload):
        return node.target._schema.name.replace("::", ".")
    return f"{getattr(node.target, '__module__', '')}.{getattr(node.target, '__name__', node.target)}"


def _is_pt2e(graph_module):
    return any(_target(node).startswith("quantized_decomposed.") for node in graph_module.graph.nodes)


class _Group:
    """dequantize -> linear -> [relu] -> [quantize]: one layer. last: the node whose value is the layer's."""

    def __init__(self, linear):
        self.linear, self.x, self.weight = linear, linear.args[0], linear.args[1]
        self.bias = linear.args[2] if len(linear.args) > 2 else linear.kwargs.get("bias")
        self.relu = self._only_user(linear, ("aten.relu", "aten.relu_"))
        self.quantize = self._only_user(self.relu or linear, _QUANTIZE)
        self.last = self.quantize or self.relu or linear
        self.inner = {node for node in (linear, self.relu) if node not in (None, self.last)}

    @staticmethod
    def _only_user(node, targets):
        user = next(iter(node.users), None)
        return user if len(node.users) == 1 and _target(user) in targets and user.args[0] is node and _is_static(user) else None


class _DynamicGroup(_Group):
    """choose_qparams -> quantize -> dequantize -> linear -> [relu]: one layer, on floats."""

    def __init__(self, linear):
        super().__init__(linear)
        codes = self.x.args[0]
        choose = codes.args[1].args[0]
        self.floats, self.reduce_range = codes.args[0], choose.args[2] - choose.args[1] == 127
        self.chosen = {choose, *choose.users, codes, self.x}  # run whoever multiplies
        if self.quantize:  # its floats are quantized by a layer of their own
            self.quantize, self.last = None, self.relu or linear
            self.inner -= {self.last}


_CHOOSE = "quantized_decomposed.choose_qparams"
_PT2E_EPS = 2.0 ** -12


def _is_dynamic_group(node):
    """Whether one range, chosen from all that a call reads, is that of the codes that the linear reads."""
    if _target(node) != "aten.linear":
        return False
    x, weight = node.args[:2]
    if _target(x) not in _DEQUANTIZE or _is_static(x) or _target(weight) not in _DEQUANTIZE_WEIGHT:
        return False
    codes = x.args[0]
    if _target(codes) not in _QUANTIZE or codes.args[1:6] != x.args[1:6]:
        return False
    chosen = [arg.args for arg in x.args[1:3] if isinstance(arg, torch.fx.Node) and arg.target is operator.getitem]
    if [index for _, index in chosen] != [0, 1] or chosen[0][0] is not chosen[1][0] or _target(chosen[0][0]) != _CHOOSE:
        return False
    floats, least, most, eps, dtype = chosen[0][0].args
    return (floats is codes.args[0] and (least, most, dtype) == tuple(codes.args[3:6]) and dtype in _CODES
            and most - least in (127, 255) and eps == _PT2E_EPS)


def _dequantized(node):
    """The tensors that an operator reads, if all of them are dequantized codes; else none."""
    leaves = [leaf for leaf in tree_leaves(node.args) if isinstance(leaf, torch.fx.Node)]
    codes = all(_target(leaf) in _DEQUANTIZE and _is_static(leaf) and leaf.args[5] in _CODES for leaf in leaves)
    return leaves if leaves and codes else []


def _shape(node):
    """Of a node's value; what convert_pt2e put in has that of what it reads."""
    while "val" not in node.meta and _target(node) in (*_QUANTIZE, *_DEQUANTIZE):
        node = node.args[0]
    return node.meta["val"].shape if "val" in node.meta else None


def _ancestors(node):
    found, left = set(), [node]
    while left:
        new = [each for each in left.pop().all_input_nodes if each not in found]
        found.update(new)
        left += new
    return found


def _added(convolution, add, is_quantized):
    """What torch.compile lets the convolution add (codes, or floats where floats come of it); None: it leaves the add alone."""
    if add.kwargs or len(add.args) != 2 or convolution.args[0] is add.args[1]:
        return None
    other = add.args[1] if add.args[0] is convolution else add.args[0]
    if other is convolution or not isinstance(other, torch.fx.Node) or _target(other) not in _DEQUANTIZE or not _is_static(other):
        return None
    if _shape(convolution) is None or _shape(convolution) != _shape(other):
        return None
    memory = other.args[0] if is_quantized else other  # is written over: whoever else reads it has to be done before
    readers = [reader for user in memory.users for reader in (user.users if is_quantized and _target(user) in _DEQUANTIZE else [user])]
    before = _ancestors(convolution)
    alone = len([reader for reader in readers if reader not in before]) <= 1
    return memory if alone and memory is not convolution.args[0].args[0] else None


class _OpGroup(_Group):
    """dequantize -> operator -> [relu] -> quantize: one layer of another op."""

    def __init__(self, node, op, fields, lowered=False):
        self.linear, self.op, self.fields, self.weight, self.bias = node, op, fields, None, None
        self.is_convolution = op.startswith("conv")
        if self.is_convolution:
            self.inputs, self.weight = [node.args[0]], node.args[1]
            self.bias = node.args[2] if len(node.args) > 2 else node.kwargs.get("bias")
        else:
            self.inputs = _dequantized(node)
        fused = ("aten.relu", "aten.relu_") if self.is_convolution or op in ("add", "mul", "cat") else ()
        if lowered and self.is_convolution:  # onednn has it for images, and more besides
            fused = (*fused, *_CLAMPS, *_CURVES) if op == "conv2d" else ()
        self.relu = self._only_user(node, fused)
        self.add = self.added = None
        if lowered and op == "conv2d" and not self.relu:
            self.add_to()
        self.quantize = self._only_user(self.relu or self.add or node, _QUANTIZE)
        if lowered and self.relu and not self.quantize and _clamp_of(self.relu) not in (None, [0, 6]):
            self.relu = None  # its floats are the same in a layer of its own
        self.last = self.quantize or self.relu or self.add or node
        self.inner = {node for node in (self.linear, self.add, self.relu) if node not in (None, self.last)}

    def add_to(self):
        """A second value that the convolution adds, with ReLU after it or not."""
        add = next(iter(self.linear.users), None)
        if len(self.linear.users) != 1 or _target(add) not in ("aten.add", "aten.add_"):
            return
        relu = self._only_user(add, ("aten.relu", "aten.relu_"))
        is_quantized = self._only_user(relu or add, _QUANTIZE) is not None
        added = _added(self.linear, add, is_quantized)
        if added is not None:
            self.add, self.added, self.relu, self.op = add, added, relu, "conv2d_add"
            self.addend = next(each for each in add.args if each is not self.linear)


def _op_group(node, lowered=False):
    """The group whose operator this is; None if it computes on other floats, or no codes come of it."""
    op, fields = _PT2E_OPS.get(_target(node).rstrip("_"), (None, None))
    if op is None:
        return None
    if op.startswith("conv"):
        x, weight = node.args[:2]
        codes = _target(x) in _DEQUANTIZE and _is_static(x) and x.args[5] in _CODES and _target(weight) in _DEQUANTIZE_WEIGHT
        axis = weight.args[3] if codes and _target(weight).endswith("per_channel") else 0
        return _OpGroup(node, op, fields, lowered) if codes and axis == 0 else None
    group = _OpGroup(node, op, fields) if not node.kwargs.get("alpha") and _dequantized(node) and len(_dequantized(node)) >= (2 if op in ("add", "mul") else 1) else None
    return group if group and group.quantize is not None else None


def _is_static(node):
    """Scale and zero point are numbers or buffers: not choose_qparams's, which differ from call to call."""
    return not any(isinstance(arg, torch.fx.Node) and arg.op != "get_attr" for arg in node.args[1:3])


def _is_group(node):
    if _target(node) != "aten.linear":
        return False
    x, weight = node.args[:2]
    return _target(x) in _DEQUANTIZE and _is_static(x) and x.args[5] in _CODES and _target(weight) in _DEQUANTIZE_WEIGHT




def _windowed(bound):
    number = len(bound["kernel_size"])
    every = lambda value: list(value) * number if isinstance(value, (list, tuple)) and len(value) == 1 else value
    return _pool({key: every(value) for key, value in bound.items()})


_PT2E_OPS = {
    **{f"aten.conv{n}d": (f"conv{n}d", _geometry) for n in (1, 2, 3)},
    "aten.add": ("add", _NOTHING), "aten.mul": ("mul", _NOTHING), "aten.cat": ("cat", lambda bound: {"dim": bound.get("dim", 0)}),
    "aten.max_pool2d": ("max_pool2d", _windowed), "aten.avg_pool2d": ("avg_pool2d", _windowed),
    "aten.adaptive_avg_pool2d": ("adaptive_avg_pool2d", _numbers("output_size")), "aten.mean": ("mean", _numbers("dim", "keepdim")),
    **{f"aten.{op}": (op, _NOTHING) for op in ("hardswish", "hardsigmoid", "sigmoid", "tanh")},
    "aten.leaky_relu": ("leaky_relu", _numbers("negative_slope")),
}


# Operators that have a row, or are told by themselves, whatever they are made of.
_KNOWN = {*_VIEWS, *_RELU, *_MOVES, *_PARTS, *_EMBEDDINGS, "aten.stack", *(".".join(re.split("[. ]", key)[:2]) for key in _FLOAT_OPS)}


def _is_composite(target):
    return isinstance(target, torch._ops.OpOverload) and torch._C._dispatch_has_kernel_for_dispatch_key(target.name(), "CompositeImplicitAutograd")


class _Pt2eWatch(_Watch):
    def __init__(self, model, recording, lowered):
        super().__init__(model, recording)
        self.lowered = lowered
        self.groups = {group.last: group for group in map(_Group, filter(_is_group, model.graph.nodes))}
        self.groups.update({group.last: group for group in map(_DynamicGroup, filter(_is_dynamic_group, model.graph.nodes))})
        others = [group for group in (_op_group(node, lowered) for node in model.graph.nodes) if group]
        # operators without weights are lowered to code that is not called here
        self.groups.update({group.last: group for group in others if group.is_convolution or not lowered})
        self.inner = set().union(*(group.inner for group in self.groups.values())) if self.groups else set()
        self.chosen = set().union(*(getattr(group, "chosen", ()) for group in self.groups.values())) if self.groups else set()
        self.linears = {group.linear for group in self.groups.values()}
        self.linears.update(group.add for group in self.groups.values() if getattr(group, "add", None) and group.quantize)
        self.weights_only = {group.weight for group in self.groups.values() if group.weight is not None}
        self.prepacked = {}
        dynamic = next((node for node in model.graph.nodes if _target(node).startswith("quantized_decomposed.choose_qparams")), None)
        if dynamic and not self.groups:
            raise ExportError(f"{dynamic.name} quantizes dynamically in a graph of convert_pt2e, with a range for each token, without a zero "
                              "point, with another eps than 2^-12, or before no linear, which qdiff does not replay: use one range for a "
                              "call (per_tensor_affine), or a static config")
        for group in self.groups.values():
            axis = group.weight.args[3] if group.weight is not None and _target(group.weight).endswith("per_channel") else 0
            if axis != 0:
                raise ExportError(_wrong_axis(self.path(group.linear)[0] or group.linear.name, axis))

    def flow(self):
        return "pt2e-lowered" if self.lowered else "pt2e-reference"

    def run(self, args, kwargs):
        watch = self

        class Nodes(torch.fx.Interpreter):
            def run_node(self, node):
                try:
                    return watch.node(self, node, super().run_node)
                except ExportError:
                    raise
                except Exception:
                    watch.failed_at = (watch.path(node)[0], _target(node)) if _target(node) else ("", node.name)
                    raise

        order = [node.target for node in self.model.graph.nodes if node.op == "placeholder"]
        kwargs = dict(sorted(kwargs.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))
        # Every value of the call is kept: a group reads its input's codes after their last user ran.
        Nodes(self.model, garbage_collect_values=False).run(*tree_leaves((args, kwargs)), enable_io_processing=False)

    def path(self, node):
        """(path of the module that the node was traced in, that module's type)."""
        path, kind = next(reversed((node.meta.get("nn_module_stack") or {"": ("", "")}).values()))
        kind = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__name__}"
        return path.replace("L['self'].", "").replace("L['self']", ""), kind

    def name(self, node):
        def of(op):
            path, kind = self.path(node)
            is_module = path in self.module_names or kind.startswith("torch.nn.modules.")
            if path and is_module and kind.startswith("torch.") and not kind.startswith("torch.nn.modules.container."):
                return self.unique(path)
            return self.functional(path, op)
        return of

    def node(self, interpreter, node, run):
        group = self.groups.get(node)
        if group:
            layer = self.op_layer if isinstance(group, _OpGroup) else self.dynamic_layer if isinstance(group, _DynamicGroup) else self.layer
            return layer(interpreter, node, group, run)
        if node in self.inner and self.lowered:
            return None
        if node in self.inner or node in self.chosen or node in self.weights_only or node.op in ("placeholder", "get_attr", "output"):
            return run(node)
        args, kwargs = interpreter.map_nodes_to_values((node.args, node.kwargs), node)
        target = _target(node)
        if _is_composite(node.target) and target not in _KNOWN:
            with self.inside(node):
                return run(node)
        return self.operator(node.target, target or node.op, args, kwargs, lambda: run(node), self.name(node), node)

    def inside(self, node):
        """An operator that is made of others: these are seen, each by itself."""
        watch, path = self, self.path(node)[0]

        class Dispatch(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                run = lambda: func(*args, **(kwargs or {}))
                result = watch.operator(func, func._schema.name.replace("::", "."), args, kwargs or {}, run, lambda op: watch.functional(path, op))
                watch.share_version(func, tree_leaves(result), args)
                return result

        return Dispatch()

    def operator(self, func, target, args, kwargs, run, name, node=None):
        """What no group is made of."""
        leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        inputs = [] if target in _CONSTANTS else [value for value in map(self.find, leaves) if value]
        in_place = target.endswith("_")
        if in_place:
            self.keep(leaves)
        result = run()
        if not inputs:
            return result
        if target in _QUANTIZE and _is_static(node) and inputs[0].params == {"dtype": "float32"}:
            self.emit(self.functional("", "quantize"), "quantize", result, _pt2e_params(*args[1:6]), inputs[0])
        elif target in _DEQUANTIZE and _is_static(node) and "scale" in (inputs[0].params or {}):
            if any(user not in self.linears for user in node.users):
                self.emit(self.functional("", "dequantize"), "dequantize", result, _params_of(result), inputs[0])
        else:
            self.other_op(func, target, name, inputs, args, kwargs, result, in_place)
        self.before, self.held = {}, {}
        return result

    def other_op(self, func, target, name, inputs, args, kwargs, result, in_place):
        if isinstance(func, torch._ops.OpOverload):
            bound = _bound(func, args, kwargs)
            if target == "aten.stack" and self.stacked(name, [self.find(each) for each in args[0]], result, bound["dim"]):
                return None
            if target in _EMBEDDINGS and self.find(bound["indices"]):
                return self.embedding(target, name, result, bound)
            x = inputs[0] if isinstance(args[0], torch.Tensor) else None
            if x and x.params and self.moved(target, name, x, result, bound) or self.float_op(target, name, result, in_place, bound):
                return
        outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        self.common_op(target, name, inputs, args, outputs, in_place)

    def op_layer(self, interpreter, node, group, run):
        value_of = lambda argument: interpreter.map_nodes_to_values(argument, node)
        name = self.name(group.linear)(group.op)
        operands = [value_of(leaf.args) for leaf in group.inputs]
        sources = [self.find(codes) for codes, *_ in operands]
        output = _pt2e_params(*value_of(group.quantize.args)[1:6]) if group.quantize else {"dtype": "float32"}
        args = [value_of(argument) for argument in group.linear.args]
        fields = group.fields(_bound(group.linear.target, args, value_of(group.linear.kwargs)))
        if group.relu or group.is_convolution or group.op in ("add", "mul", "cat"):
            fields["activation"] = "relu" if group.relu else "none"
        parameters = None
        if group.is_convolution:
            weight, bias = _Pt2eWeight(name, value_of(group.weight.args)), value_of(group.bias)
            parameters = lambda: _linear_parameters(name, weight.codes, weight.scale, weight.zero_point, bias)
        if self.lowered:
            x, x_scale, x_zero_point = value_of(group.inputs[0].args)[:3]
            output = {key: output[key] for key in output if key not in ("quant_min", "quant_max")}
            added = None
            if group.added is not None:
                added = (value_of(group.added), *(value_of(group.addend.args)[1:3] if group.quantize else (1.0, 0)))
                sources.append(self.find(added[0]))
            result, fields["activation"] = self.lower_convolution(name, node, group, (x, x_scale, x_zero_point), weight, bias, output, fields, added)
        else:
            result = run(node)
        if not any(sources):  # of constants only
            return result
        for i, (codes, *how) in enumerate(operands):
            numbers = self.constant(codes, result, _pt2e_params(*how[:5]), sources) if not sources[i] and any(sources) else None
            sources[i] = sources[i] or (self.constant_value(name, numbers) if numbers else None)
        op = group.op if all(sources) else _target(group.linear)
        self.emit(name, op, result, output, [source for source in sources if source], parameters=parameters, **fields)
        return result

    def layer(self, interpreter, node, group, run):
        value_of = lambda argument: interpreter.map_nodes_to_values(argument, node)
        name = self.name(group.linear)("linear")
        x, x_scale, x_zero_point = value_of(group.x.args)[:3]
        output = _pt2e_params(*value_of(group.quantize.args)[1:6]) if group.quantize else {"dtype": "float32"}
        activation = "relu" if group.relu else "none"
        weight, bias = _Pt2eWeight(name, value_of(group.weight.args)), value_of(group.bias)
        if self.lowered:
            result = self.lower(name, node, x, x_scale, x_zero_point, weight, bias, output, activation)
            output = {key: output[key] for key in output if key not in ("quant_min", "quant_max")}  # it clamps to the dtype's range
        else:
            result = run(node)
        source = self.find(x)
        if source is None:  # of constants only
            return result
        self.emit(name, "linear", result, output, source, activation=activation, features=(x.shape[-1], result.shape[-1]),
                  parameters=lambda: _linear_parameters(name, weight.codes, weight.scale, weight.zero_point, bias))
        return result

    def dynamic_layer(self, interpreter, node, group, run):
        value_of = lambda argument: interpreter.map_nodes_to_values(argument, node)
        name, activation, output = self.name(group.linear)("linear"), "relu" if group.relu else "none", {"dtype": "float32"}
        x, source = value_of(group.floats), self.find(value_of(group.floats))
        weight, bias = _Pt2eWeight(name, value_of(group.weight.args)), value_of(group.bias)
        if self.lowered:
            codes, scale, zero_point = value_of(group.x.args)[:3]
            result = self.lower(name, node, codes, scale, zero_point, weight, bias, output, activation)
        else:
            result = run(node)
        if source is None:  # of constants only
            return result
        self.emit(name, "linear_dynamic", result, output, source, activation=activation,
                  reduce_range=group.reduce_range, features=(x.shape[-1], result.shape[-1]),
                  parameters=lambda: _linear_parameters(name, weight.codes, weight.scale, weight.zero_point, bias))
        return result

    def lower_convolution(self, name, node, group, given, weight, bias, output, fields, added):
        """The convolution of a compiled model, on x86: its values, and what is fused as model.json says it."""
        x, x_scale, x_zero_point = given
        self.check_lowered(name, x, weight)
        geometry = [fields[key] for key in ("stride", "padding", "dilation", "groups")]
        outputs, x_scale, x_zero_point = len(weight.codes), float(x_scale), int(x_zero_point)
        scales = torch.from_numpy(np.broadcast_to(np.float32(weight.scale), outputs).copy())
        if node not in self.prepacked:
            self.prepacked[node] = torch.ops.onednn.qconv_prepack(weight.codes, scales, x_scale, x_zero_point, *geometry, list(x.shape))
        dtype, scale, zero_point = getattr(torch, output["dtype"]), output.get("scale", 1.0), output.get("zero_point", 0)
        attr, scalars, activation = _fused(group.relu, output)
        convolve = getattr(torch.ops.onednn, f"qconv{x.dim() - 2}d_pointwise")
        packed = (x, x_scale, x_zero_point, self.prepacked[node], scales, torch.zeros(outputs, dtype=torch.int64))
        if added is None:
            return convolve(*packed, bias, *geometry, scale, zero_point, dtype, attr, scalars, ""), activation
        addend, added_scale, added_zero_point = added
        result = addend.clone(memory_format=torch.channels_last)  # is written over
        convolve.binary(*packed, result, bias, *geometry, scale, zero_point, dtype, float(added_scale), int(added_zero_point),
                        "sum", 1.0, attr, scalars, "")
        return result, activation

    @staticmethod
    def check_lowered(name, x, weight):
        if x.dtype != torch.uint8 or np.any(weight.zero_point):
            raise ExportError(f"{name}: lowered=True needs uint8 activations and weights of zero point 0, as X86InductorQuantizer "
                              "makes them; export without lowered")

    def lower(self, name, node, x, x_scale, x_zero_point, weight, bias, output, activation):
        """The linear of a compiled model, on x86."""
        self.check_lowered(name, x, weight)
        if node not in self.prepacked:
            self.prepacked[node] = torch.ops.onednn.qlinear_prepack(weight.codes, None)
            if np.ndim(weight.scale) == 0:
                _warn(f"{name}: torch.compile lowers per-channel weights only; this layer's are per tensor, and ran lowered all the same")
        outputs = len(weight.codes)
        scales = torch.from_numpy(np.broadcast_to(np.float32(weight.scale), outputs).copy())
        dtype, scale, zero_point = getattr(torch, output["dtype"]), output.get("scale", 1.0), output.get("zero_point", 0)
        result = torch.ops.onednn.qlinear_pointwise(
            x.reshape(-1, x.shape[-1]), float(x_scale), int(x_zero_point), self.prepacked[node], scales,
            torch.zeros(outputs, dtype=torch.int64), bias, scale, zero_point, dtype, activation, [], "")
        return result.reshape(*x.shape[:-1], outputs)


_CLAMPS = ("aten.relu6", "aten.hardtanh", "aten.hardtanh_")
# onednn's name, and model.json's
_CURVES = {f"aten.{op}{end}": (name, op) for op, name in (("hardswish", "hardswish"), ("silu", "swish")) for end in ("", "_")}


def _clamp_of(activation):
    """The bounds of relu6 and hardtanh; None: it is neither."""
    if _target(activation) not in _CLAMPS:
        return None
    if _target(activation) == "aten.relu6":
        return [0.0, 6.0]
    return [float(bound) for bound in (*activation.args[1:3], *(-1, 1)[len(activation.args) - 1:])]


def _fused(activation, output):
    """onednn's name of a fused activation and its numbers, and model.json's; a clamp of codes is as onednn quantizes its bounds."""
    if activation is None:
        return "none", [], "none"
    if _target(activation) in _CURVES:
        return *_CURVES[_target(activation)][:1], [], _CURVES[_target(activation)][1]
    bounds = _clamp_of(activation)
    if bounds is None:
        return "relu", [], "relu"
    if output["dtype"] == "float32":
        return "hardtanh", bounds, "relu6"
    steps = np.float32(bounds) * (np.float32(1) / np.float32(output["scale"])) + np.float32(output["zero_point"])
    return "hardtanh", bounds, {"clamp": [int(code) for code in np.rint(np.clip(steps, 0, 255))]}


class _Pt2eWeight:
    """The arguments of a weight's dequantize node."""

    def __init__(self, where, args):
        self.codes, scale, zero_point = args[:3]
        per_channel = len(args) == 7
        if self.codes.dtype != torch.int8:
            raise ExportError(f"{where}: weights of {self.codes.dtype}; only int8 weights can be replayed: quantize them to torch.int8")
        self.scale = scale.double().numpy() if per_channel else float(scale)
        zero_point = torch.zeros(len(self.codes)) if zero_point is None else zero_point
        self.zero_point = zero_point.to(torch.int64).numpy() if per_channel else int(zero_point)


def _pt2e_params(scale, zero_point, quant_min, quant_max, dtype):
    if dtype not in _CODES:
        return None
    params = {"dtype": _CODES[dtype], "scale": float(scale), "zero_point": int(zero_point)}
    limits = torch.iinfo(dtype)
    if (quant_min, quant_max) != (limits.min, limits.max):
        params.update(quant_min=int(quant_min), quant_max=int(quant_max))
    return params


# ---------------------------------------------------------------- the machine: what decides which kernel ran

_ENVIRONMENT = ("FBGEMM_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_CPU_ISA_HINTS",
                "DNNL_CPU_ISA_HINTS", "ONEDNN_DEFAULT_FPMATH_MODE", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")


def _producer(flow):
    producer = {"framework": "pytorch", "framework_version": torch.__version__, "flow": flow}
    if not flow.startswith("pt2e"):  # float ops, or always oneDNN: the engine has no say
        producer["engine"] = torch.backends.quantized.engine
    producer["arch"] = platform.machine()
    producer["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
    flags = _cpu_flags()
    if flags is not None:
        producer["avx512"] = {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags
        producer.update({name: name in flags for name in ("avx512_vnni", "avx_vnni", "amx_int8")})
    producer["threads"] = torch.get_num_threads()
    producer["environment"] = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return producer


def _cpu_flags():
    """The first processor's flags, as Linux names them; an emulated CPU's from torch, since /proc shows the host's. None: unknown."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return None
    flags = next((set(line.split(":", 1)[1].split()) for line in lines if line.startswith("flags")), None)
    if flags and not getattr(torch.cpu, "_is_vnni_supported", lambda: True)():
        flags.discard("avx512_vnni")
    if flags and not getattr(torch.cpu, "_is_avx2_supported", lambda: True)():
        flags.discard("avx_vnni")
    if flags and not getattr(torch.cpu, "_is_avx512_supported", lambda: True)():
        flags.discard("avx512f")
    if flags and not getattr(torch.cpu, "_is_amx_tile_supported", lambda: True)():
        flags.discard("amx_int8")
    return flags


# ---------------------------------------------------------------- the files

def _write_capture(recording, scratch, producer=None):
    """producer: of a capture by itself, which no model.json beside it says."""
    samples = sum(recording.batch_sizes)
    shape = lambda array: (array.shape or (1,)) if recording.shaped else (array.features,)
    arrays = [(name, array.dtype, (samples, *shape(array)), array.path) for name, array in recording.arrays.items()]
    sizes = np.array(recording.batch_sizes, np.int64)
    arrays.append(("batch_sizes", sizes.dtype, sizes.shape, sizes))
    if producer:
        said = np.frombuffer(json.dumps(producer).encode(), np.uint8)
        arrays.append(("producer", said.dtype, said.shape, said))
    return _write_npz(scratch / "capture.npz", arrays)


def _write_model(recording, producer, scratch, arrays_name):
    """(npz or None, json): an npz only if the numbers are many."""
    large = sum(field.size for layer in [*recording.layers, *recording.constants.values()] for field in layer.values() if isinstance(field, np.ndarray)) > INLINE_NUMBERS
    keys = {}  # of an array's content -> (key, array): a module called twice, or tied weights, have their parameters once

    def plain(layer, field, numbers):
        if not isinstance(numbers, np.ndarray):
            return numbers
        if large and numbers.size > 16 or numbers.dtype.kind == "f" and not np.isfinite(numbers).all():  # JSON has no infinity
            content = (numbers.dtype.str, numbers.shape, hashlib.sha256(np.ascontiguousarray(numbers).data).digest())
            return {"array": keys.setdefault(content, (f"{layer['name']}.{field}", numbers))[0]}
        return numbers.tolist()

    layers = [{field: plain(layer, field, numbers) for field, numbers in layer.items()} for layer in recording.layers]
    head = {"format": "qdiff-model", "version": 1, "producer": producer}
    constants = [{field: plain(constant, field, numbers) for field, numbers in constant.items()} for constant in recording.constants.values()]
    head.update({"arrays": arrays_name} if keys else {}, inputs=recording.inputs, **({"constants": constants} if constants else {}))
    text = json.dumps({**head, "layers": []}, allow_nan=False)[: -len("]}")]
    text += ",".join("\n" + json.dumps(layer, allow_nan=False) for layer in layers) + "\n]}\n"  # a layer a line
    (scratch / "model.json").write_text(text, encoding="utf-8")
    arrays = [(key, numbers.dtype, numbers.shape, numbers) for key, numbers in keys.values()]
    return _write_npz(scratch / "model.npz", arrays) if keys else None, scratch / "model.json"


def _write_npz(path, arrays):
    """arrays: (key, dtype, shape, numpy array or file of raw numbers); one at a time in memory, or not at all."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for key, dtype, shape, numbers in arrays:
            entry = zipfile.ZipInfo(f"{key}.npy")
            entry.file_size = math.prod(shape) * dtype.itemsize + 4096  # so that zipfile knows when to use Zip64
            with archive.open(entry, "w") as file:
                header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                if isinstance(numbers, np.ndarray):
                    file.write(np.ascontiguousarray(numbers).data)
                else:
                    with open(numbers, "rb") as raw:
                        shutil.copyfileobj(raw, file, 1 << 20)
    return path


# ---------------------------------------------------------------- the command line

def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="qdiff_export.py", description="Writes model.json and capture.npz of a quantized PyTorch model, for qdiff.",
        epilog="A saved module is a pickle: loading it runs code that the file brings. Load only files you trust.")
    parser.add_argument("--model", required=True, metavar="FILE",
                        help="a module saved with torch.save, a torch.export .pt2, or FILE.py:NAME: a module, or a function that returns one")
    parser.add_argument("--inputs", required=True, metavar="FILE", help="x.npy, or an npz whose keys are forward's arguments")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for model.json and capture.npz")
    parser.add_argument("--import", dest="imports", action="append", default=[], metavar="FILE",
                        help="a Python file with the model's classes; only its imports, classes, functions and constants run")
    parser.add_argument("--engine", metavar="NAME", help="torch.backends.quantized.engine while the model is loaded and run")
    parser.add_argument("--batch", type=int, metavar="N", help="samples a call; default all in one")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N samples")
    parser.add_argument("--select", action="append", metavar="GLOB", help="record these layers only")
    parser.add_argument("--lowered", action="store_true", help="convert_pt2e graphs: run linears as torch.compile lowers them")
    parser.add_argument("--capture-name", metavar="NAME", help="NAME.npz, NAME.model.json in place of capture.npz, model.json")
    parser.add_argument("--capture-only", action="store_true", help="write only DIR/capture.npz")
    options = parser.parse_args(argv)
    try:
        if options.engine:
            _set_engine(options.engine)
        inputs = _load_inputs(options.inputs, options.batch)
        model = _load_model(options.model, options.imports)
        inputs = _arguments_of(model, inputs, options.inputs)
        settings = {"select": options.select, "limit": options.limit, "lowered": options.lowered}
        name = options.capture_name or "capture.npz"
        prefix = f"{name.removesuffix('.npz')}." if options.capture_name else ""
        with _in_script(options.model):
            if options.capture_only:
                capture(model, inputs, Path(options.out) / name, **settings)
            else:
                _export(model, inputs, Path(options.out), (name, f"{prefix}model.npz", f"{prefix}model.json"), **settings)
    except (ExportError, OSError) as error:
        print(f"qdiff_export: {error}", file=sys.stderr)
        return 2
    return 0


def _set_engine(name):
    if name not in torch.backends.quantized.supported_engines or name == "none":
        raise ExportError(f"--engine {name}: this CPU and this build of torch have {_engines()}")
    torch.backends.quantized.engine = name


def _load_inputs(path, batch):
    try:
        loaded = np.load(path, allow_pickle=False)
    except ValueError as error:
        why = "" if "pickle" in str(error) else f": {error}"
        raise ExportError(f"{path}: expected an npy or npz file of numbers{why}; numpy.save writes one") from error
    arrays = dict(loaded.items()) if isinstance(loaded, np.lib.npyio.NpzFile) else loaded
    if not batch:
        return arrays
    if batch < 1:
        raise ExportError(f"--batch: expected 1 or more, got {batch}")
    samples = len(next(iter(arrays.values()), ()) if isinstance(arrays, dict) else arrays)
    parts = [slice(start, start + batch) for start in range(0, samples, batch)]
    return [{key: item[part] for key, item in arrays.items()} if isinstance(arrays, dict) else arrays[part] for part in parts]


def _arguments_of(model, inputs, path):
    """The arrays of a file as forward takes them: by its arguments' names; all of them as the dict that is its only argument."""
    if isinstance(inputs, list) or not isinstance(model, torch.nn.Module):
        return inputs
    path = Path(path).name
    if isinstance(inputs, dict) and not inputs:
        raise ExportError(f"{path}: expected arrays, found none")
    try:
        signature = inspect.signature(model.forward)
    except ValueError:  # compiled, without one
        return inputs
    args, kwargs = ((), inputs) if isinstance(inputs, dict) else ((inputs,), {})
    try:
        signature.bind(*args, **kwargs)
        return inputs
    except TypeError as error:
        required = [p for p in signature.parameters.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        if isinstance(inputs, dict) and len(required) == 1:
            if len(inputs) == 1:
                return (next(iter(inputs.values())),)
            if required[0].name in inputs:  # beside labels
                return (inputs[required[0].name],)
            print(f"qdiff_export: {path}: forward{signature} got its arrays {', '.join(inputs)} as a dict", file=sys.stderr)
            return (inputs,)
        found = f"arrays {', '.join(inputs)}" if isinstance(inputs, dict) else "one array"
        raise ExportError(f"{path}: {found} for forward{signature}: {error}; expected an npz whose keys are its arguments") from error


def _load_model(path, imports):
    for file in imports:
        _import_definitions(file)
    file, _, name = path.rpartition(":")
    if file.endswith(".py"):
        return _module_of_script(file, name)
    if path.endswith(".pt2"):
        return torch.export.load(path).module()
    print(f"qdiff_export: unpickling {path}, which runs code that the file brings", file=sys.stderr)
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except AttributeError as error:
        raise ExportError(f"{path}: {error}; give the Python file that defines the class, with --import FILE") from error
    except ModuleNotFoundError as error:
        raise ExportError(f"{path}: {error}; give the Python file that is this module, with --import FILE") from error
    except RuntimeError as error:
        raise ExportError(f"{path}: {_first_sentence(error)}{_advice('', str(error))}") from error


@contextlib.contextmanager
def _in_script(path):
    """An error in the user's own code is told with its line; any other is not the script's."""
    try:
        yield
    except ExportError:
        raise
    except Exception as error:
        file, _, name = path.rpartition(":")
        at = file.endswith(".py") and _line_of(Path(file).resolve(), error)
        if not at:
            raise
        raise ExportError(f"{Path(file).name}:{name}: {at}{_said(error)}") from error


def _line_of(path, error):
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path.name} line {lines[-1]}: " if lines else ""


def _said(error):
    said = " ".join(str(error).split())
    return f"{type(error).__name__}{': ' if said else ''}{said}"


def _module_of_script(path, name):
    """The module that a script calls name, or that its function of this name returns. The script runs, but not as __main__."""
    path = Path(path).resolve()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
        model = operator.attrgetter(name)(module)
        if callable(model) and not isinstance(model, (torch.nn.Module, torch.export.ExportedProgram)):
            needed = _arguments_needed(model)
            if needed:
                raise ExportError(f"{path.name}:{name}: it needs {_listed(needed, 4)}: expected a quantized module, or a function "
                                  "without arguments that returns one")
            model = model()
    except ExportError:
        raise
    except (Exception, SystemExit) as error:
        at = _line_of(path, error)
        hint = ""
        if isinstance(error, SystemExit):
            hint = "; the script runs without arguments, and not as __main__"
        elif isinstance(error, AttributeError) and not at:
            named = [key for key, item in vars(module).items() if isinstance(item, torch.nn.Module)]
            hint = f"; its modules: {', '.join(named[:8])}" if named else ""
        raise ExportError(f"{path.name}:{name}: {at}{_said(error)}{hint}") from error
    return model


def _arguments_needed(function):
    with contextlib.suppress(TypeError, ValueError):  # without a signature
        return [p.name for p in inspect.signature(function).parameters.values()
                if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return []


def _import_definitions(path):
    """Imports, classes, functions and literal constants of a script, under its own name and in __main__, where its pickles
    look for them. The rest, such as the training loop, does not run."""
    source = Path(path).read_text(encoding="utf-8")
    module = types.ModuleType(Path(path).stem)
    module.__file__ = str(path)
    sys.path.insert(0, str(Path(path).resolve().parent))
    before = set(vars(module))
    for node in ast.parse(source, path).body:
        is_definition = isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        if not is_definition and not (isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_literal(node.value)):
            continue
        try:
            exec(compile(ast.Module([node], []), path, "exec"), vars(module))
        except ImportError as error:
            _warn(f"{path} line {node.lineno}: {error}; going on without it")
    sys.modules.setdefault(module.__name__, module)
    for name in set(vars(module)) - before:
        if not name.startswith("__"):
            setattr(sys.modules["__main__"], name, getattr(module, name))


def _is_literal(node):
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
