"""What qdiff_export writes, without qdiff: names, inputs, selection, errors, files. Run: python -m unittest."""
import contextlib
import copy
import io
import json
import os
import subprocess
import sys
import tempfile
import types
import unittest
import warnings
from pathlib import Path
from unittest import mock

import models  # sets the import path of qdiff_export
import numpy as np
import qdiff_export
import torch
import torch.ao.quantization as Q
import torch.ao.quantization.quantize_fx as quantize_fx
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

HERE = Path(__file__).resolve().parent
EXPORTER = Path(qdiff_export.__file__)


def converted(model, example):
    model.eval().qconfig = models.qconfig()
    prepared = Q.prepare(model)
    prepared(example)
    return Q.convert(prepared)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.fc1, self.fc2, self.dequant = Q.QuantStub(), nn.Linear(6, 8), nn.Linear(8, 3), Q.DeQuantStub()

    def forward(self, x):
        return self.dequant(self.fc2(F.relu(self.fc1(self.quant(x)))))


X = torch.randn(10, 6, generator=torch.Generator().manual_seed(0))


def small():
    torch.manual_seed(0)
    return converted(Small(), X)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name) / "out"
        engine = torch.backends.quantized.engine
        self.addCleanup(setattr, torch.backends.quantized, "engine", engine)

    def export(self, model, inputs, **settings):
        """(model.json, arrays of capture.npz, what was warned of)"""
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("always")
            qdiff_export.export(model, inputs, self.out, **settings)
        said = " ".join(str(w.message) for w in caught if "qdiff_export" in str(w.message))
        return json.loads((self.out / "model.json").read_text()), dict(np.load(self.out / "capture.npz")), said

    def refused(self, model, inputs=X, **settings):
        with self.assertRaises(qdiff_export.ExportError) as caught:
            self.export(model, inputs, **settings)
        self.assertEqual(list(self.out.parent.iterdir()), [], "something was written")
        return str(caught.exception)

    def edges(self, model):
        return [(layer["name"], layer["op"], layer["input"]) for layer in model["layers"]]


class Like(Case):
    """A float model as candidate: a module's values as the codes that model.json declares."""

    def test_codes_of_a_fake_quantized_model(self):
        class Skip(Small):
            def __init__(self):
                super().__init__()
                self.relu, self.ff, self.up = nn.ReLU(), nn.quantized.FloatFunctional(), nn.Linear(8, 8)

            def forward(self, x):
                x = self.relu(self.fc1(self.quant(x)))
                return self.dequant(self.fc2(self.ff.add(x, self.up(x))))

        torch.manual_seed(0)
        float_model = Q.fuse_modules_qat(Skip().train(), [["fc1", "relu"]])
        float_model.qconfig = Q.get_default_qat_qconfig("fbgemm")
        prepared = Q.prepare_qat(float_model)
        prepared(X)
        prepared.eval().apply(Q.disable_observer)
        self.export(Q.convert(prepared), X)
        folder = self.out
        path = qdiff_export.capture(prepared, X, self.out / "qat.npz", like=folder / "model.json")
        captured, codes = np.load(folder / "capture.npz"), np.load(path)
        self.assertNotIn("producer", codes)
        for name in ("x", "quant", "fc1", "relu", "up", "ff", "fc2", "dequant"):
            self.assertEqual(codes[name].shape, captured[name].shape, name)
            self.assertEqual(codes[name].dtype, captured[name].dtype, name)
            if codes[name].dtype == np.uint8:
                apart = np.abs(codes[name].astype(int) - captured[name].astype(int))
                self.assertLessEqual((apart > 1).mean(), 0.2, name)

    def test_a_graph_of_prepare_qat_fx_gives_what_its_fake_quantizations_give(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 8)

            def forward(self, x):
                x = F.relu(self.a(x))
                return torch.tanh(self.b(x) + x)

        torch.manual_seed(0)
        mapping = Q.QConfigMapping().set_global(Q.get_default_qat_qconfig("fbgemm", version=0))
        prepared = quantize_fx.prepare_qat_fx(Net().train(), mapping, (X,))
        prepared(X)
        prepared.eval().apply(Q.disable_observer)
        self.export(quantize_fx.convert_fx(copy.deepcopy(prepared)), X)
        switches = [module.observer_enabled.clone() for module in prepared.modules() if hasattr(module, "observer_enabled")]
        path = qdiff_export.capture(prepared, X, self.out / "qat.npz", like=self.out / "model.json")
        after = [module.observer_enabled for module in prepared.modules() if hasattr(module, "observer_enabled")]
        self.assertTrue(all(torch.equal(*pair) for pair in zip(switches, after)), "the model is left as it was")
        captured, codes = np.load(self.out / "capture.npz"), np.load(path)
        own = {layer["name"]: layer for layer in json.loads(bytes(codes["model"]))["layers"]}
        self.assertEqual((own["a"]["output"]["quant_min"], own["a"]["output"]["quant_max"]), (0, 127))
        self.assertEqual([name for name in codes if name.endswith(".float")], [])
        self.assertIsInstance(own["a"]["weight_scale"], list)
        for name in ("quantize", "a", "b", "add"):
            apart = np.abs(codes[name].astype(int) - captured[name].astype(int))
            self.assertLessEqual(apart.max(), 1, name)
            self.assertLessEqual((apart > 0).mean(), 0.05, name)

    def test_what_is_quantized_again_behind_a_move_says_so(self):
        """What flatten gives is quantized once more; a pool of one axis is one of images to the converted model."""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.pool, self.drop, self.fc = nn.Conv1d(2, 4, 3), nn.AvgPool1d(2), nn.Dropout(), nn.Linear(8, 3)

            def forward(self, x):
                return self.fc(self.drop(torch.flatten(self.pool(self.a(x)), 1)))

        torch.manual_seed(0)
        X = torch.randn(10, 2, 6)
        prepared = quantize_fx.prepare_qat_fx(Net().train(), Q.get_default_qat_qconfig_mapping("fbgemm"), (X,))
        prepared(X)
        prepared.eval()
        model, _, _ = self.export(quantize_fx.convert_fx(copy.deepcopy(prepared)), X)
        codes = np.load(qdiff_export.capture(prepared, X, self.out / "qat.npz", like=self.out / "model.json"))
        own = {layer["name"]: layer for layer in json.loads(bytes(codes["model"]))["layers"]}
        declared = {layer["name"]: layer["shape"] for layer in model["layers"]}
        self.assertEqual(list(codes["pool"].shape[1:]), declared["pool"])
        self.assertEqual((own["flatten"]["op"], own["flatten"]["input"]), ("requantize", "flatten.moved"))
        self.assertEqual(own["flatten.moved"]["op"], "flatten")
        self.assertEqual((own["drop"]["op"], own["drop"]["input"]), ("identity", "flatten"))
        real = lambda name: own[name]["output"]["scale"] * (codes[name].reshape(10, -1).astype(float) - own[name]["output"]["zero_point"])
        np.testing.assert_allclose(real("flatten"), real("pool"), atol=own["flatten"]["output"]["scale"])
        np.testing.assert_array_equal(codes["drop"], codes["flatten"])

    def test_a_scale_of_the_whole_tensor_is_one_number(self):
        torch.manual_seed(0)
        prepared = quantize_fx.prepare_qat_fx(nn.Sequential(nn.Linear(6, 4)).train(), Q.get_default_qat_qconfig_mapping("qnnpack"), (X,))
        prepared(X)
        prepared.eval().apply(Q.disable_observer)
        self.export(quantize_fx.convert_fx(copy.deepcopy(prepared)), X)
        codes = np.load(qdiff_export.capture(prepared, X, self.out / "qat.npz", like=self.out / "model.json"))
        [layer] = [layer for layer in json.loads(bytes(codes["model"]))["layers"] if layer["op"] == "linear"]
        self.assertIsInstance(layer["weight_scale"], float)
        self.assertIsInstance(layer["weight_zero_point"], int)

    def test_a_graph_of_prepare_qat_pt2e_gives_every_layer(self):
        try:
            from torchao.quantization.pt2e import move_exported_model_to_eval
            from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_qat_pt2e
            from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86
        except ImportError:
            self.skipTest("torchao is not there")

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.norm, self.b, self.fc = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Conv2d(6, 6, 1), nn.Linear(6, 4)

            def forward(self, x):
                x = F.relu(self.norm(self.a(x)))
                x = F.hardswish(self.b(x)) + x
                return torch.tanh(self.fc(x.mean([2, 3])))

        torch.manual_seed(0)
        images = torch.randn(4, 3, 6, 6)
        quantizer = x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config(is_qat=True))
        prepared = prepare_qat_pt2e(torch.export.export(Net().train(), (images,)).module(), quantizer)
        prepared(images)
        move_exported_model_to_eval(prepared)
        prepared.apply(Q.disable_observer)
        self.export(convert_pt2e(copy.deepcopy(prepared)), images)
        codes = np.load(qdiff_export.capture(prepared, images, self.out / "qat.npz", like=self.out / "model.json"))
        layers = {layer["name"]: layer for layer in json.loads((self.out / "model.json").read_text())["layers"]}
        own = {layer["name"]: layer for layer in json.loads(bytes(codes["model"]))["layers"]}
        self.assertEqual(list(own), list(layers))
        captured = np.load(self.out / "capture.npz")
        for name in layers:
            self.assertEqual((codes[name].shape, codes[name].dtype), (captured[name].shape, captured[name].dtype), name)
        self.assertNotEqual(own["a"]["weight_scale"], layers["a"]["weight_scale"], "the fused fake quantization's own")

    def test_weights_that_no_fake_quantization_sees_are_floats(self):
        """FX leaves a transposed convolution float; its weights stand as a convolution's do, output channels first, also of groups."""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.up, self.b = nn.Conv2d(2, 4, 3), nn.ConvTranspose2d(4, 6, 2, 2, groups=2), nn.Conv2d(6, 3, 1)

            def forward(self, x):
                return self.b(F.relu(self.up(self.a(x))))

        torch.manual_seed(0)
        images = torch.randn(6, 2, 5, 5)
        prepared = quantize_fx.prepare_qat_fx(Net().train(), Q.get_default_qat_qconfig_mapping("fbgemm"), (images,))
        prepared(images)
        prepared.eval()
        self.export(quantize_fx.convert_fx(copy.deepcopy(prepared)), images)
        codes = np.load(qdiff_export.capture(prepared, images, self.out / "qat.npz", like=self.out / "model.json"))
        own = {layer["name"]: layer for layer in json.loads(bytes(codes["model"]))["layers"]}
        self.assertEqual([own[name]["op"] for name in ("a", "up.reals", "up", "b")], ["conv2d", "dequantize", "conv_transpose2d_float", "conv2d"])
        self.assertEqual((own["up.reals"]["input"], own["up"]["input"], own["up"]["out_features"]), ("a", "up.reals", 6))
        weight = codes[own["up"]["weight"]["array"]].reshape(6, 2, 2, 2)
        for out in range(6):
            group, place = divmod(out, 3)
            np.testing.assert_array_equal(weight[out], prepared.up.weight.detach().numpy()[2 * group : 2 * group + 2, place])
        self.assertEqual(own["up"]["activation"], "none")
        np.testing.assert_array_equal(own["up"]["bias"], prepared.up.bias.detach().numpy())

    def test_values_of_functions(self):
        """Of a graph those of its nodes, each part of what is cut by its own name; an eager one's are what modules read."""
        class Attention(nn.Module):
            def __init__(self):
                super().__init__()
                self.qkv, self.out = nn.Linear(6, 18), nn.Linear(6, 6)

            def forward(self, x):
                q, k, v = self.qkv(x).reshape(x.shape[0], 5, 3, 6).permute(2, 0, 1, 3).unbind(0)
                return self.out(torch.matmul((torch.matmul(q, k.transpose(1, 2)) * 0.5).softmax(-1), v))

        class Mean(Small):
            def forward(self, x):
                return self.dequant(self.fc2(F.relu(self.fc1(self.quant(x))).mean(1)))

        torch.manual_seed(0)
        rows = torch.randn(4, 5, 6)
        prepared = quantize_fx.prepare_qat_fx(Attention().train(), Q.get_default_qat_qconfig_mapping("fbgemm"), (rows,))
        prepared(rows)
        prepared.eval()
        self.export(quantize_fx.convert_fx(copy.deepcopy(prepared)), rows)
        codes = np.load(qdiff_export.capture(prepared, rows, self.out / "qat.npz", like=self.out / "model.json"))
        captured = np.load(self.out / "capture.npz")
        for layer in json.loads((self.out / "model.json").read_text())["layers"]:
            name = layer["name"]
            self.assertEqual((codes[name].shape, codes[name].dtype), (captured[name].shape, captured[name].dtype), name)

        model = Mean().train()
        model.qconfig = Q.get_default_qat_qconfig("fbgemm")
        prepared = Q.prepare_qat(model)
        prepared(rows)
        prepared.eval()
        self.export(Q.convert(copy.deepcopy(prepared)), rows)
        codes = np.load(qdiff_export.capture(prepared, rows, self.out / "qat.npz", like=self.out / "model.json"))
        own = {layer["name"]: layer for layer in json.loads(bytes(codes["model"]))["layers"]}
        self.assertEqual(own["fc2"]["op"], "linear_float", "reads what nothing quantized")

    def test_scales_of_a_transposed_convolution_belong_to_its_outputs(self):
        layer = {"op": "conv_transpose2d", "groups": 2}
        beside = qdiff_export._beside_weights(layer, np.arange(6.0), (4, 3, 2, 2))
        self.assertEqual((beside.shape, beside[:, :, 0, 0].tolist()), ((4, 3, 1, 1), [[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5]]))
        self.assertEqual(qdiff_export._beside_weights({"op": "conv2d"}, np.arange(4.0), (4, 3, 2, 2)).shape, (4, 1, 1, 1))

    def test_no_layer_of_it(self):
        self.export(small(), X)
        folder = self.out
        with self.assertRaisesRegex(qdiff_export.ExportError, "no module of the model has the name"):
            qdiff_export.capture(nn.Sequential(nn.Linear(6, 3)), X, self.out / "c.npz", like=folder / "model.json")
        self.assertFalse((self.out / "c.npz").exists())

    def test_capture_says_its_producer(self):
        path = qdiff_export.capture(small(), X, self.out / "second.npz")
        said = json.loads(bytes(np.load(path)["producer"]))
        self.assertEqual((said["framework"], said["flow"]), ("pytorch", "eager"))


class Layers(Case):
    def test_nested_repeated_fused_and_functional_layers(self):
        model, arrays, warned = self.export(*models.eager()[:2])
        self.assertEqual(self.edges(model), [
            ("quant", "quantize", "x"), ("fc1", "linear", "quant"), ("relu1", "identity", "fc1"),
            ("encoder.0", "linear", "relu1"), ("encoder.1.fc", "linear", "encoder.0"), ("encoder.1.relu", "relu", "encoder.1.fc"),
            ("mix", "linear", "encoder.1.relu"), ("mix@2", "linear", "mix"), ("clip", "relu6", "mix@2"),
            ("add", "add", ["encoder.1.relu", "clip"]), ("head", "linear", "add"), ("dequant", "dequantize", "head")])
        self.assertEqual(model["inputs"], [{"name": "x", "dtype": "float32", "shape": [models.FEATURES]}])
        self.assertEqual([model["layers"][i]["activation"] for i in (1, 3)], ["relu", "none"])
        self.assertEqual(set(arrays), {"x", "batch_sizes", *(layer["name"] for layer in model["layers"])})
        self.assertEqual(warned, "")

    def test_a_repeated_module_has_its_weights_once(self):
        model, _, _ = self.export(*models.eager()[:2])
        layers = {layer["name"]: layer for layer in model["layers"]}
        self.assertEqual(layers["mix@2"]["weight"], {"array": "mix.weight"})

    def test_values_and_parameters_are_those_of_the_modules(self):
        net = small()
        model, arrays, _ = self.export(net, X)
        fc1 = model["layers"][1]
        codes = net.quant(X)
        np.testing.assert_array_equal(arrays["x"], X.numpy())
        np.testing.assert_array_equal(arrays["quant"], codes.int_repr().numpy())
        np.testing.assert_array_equal(arrays["fc1"], net.fc1(codes).int_repr().numpy())
        np.testing.assert_array_equal(arrays["dequant"], net(X).numpy())
        self.assertEqual(fc1["output"], {"dtype": "uint8", "scale": net.fc1.scale, "zero_point": net.fc1.zero_point})
        self.assertEqual(fc1["weight"], net.fc1.weight().int_repr().tolist())
        self.assertEqual(fc1["weight_scale"], net.fc1.weight().q_per_channel_scales().tolist())
        self.assertEqual(np.float32(fc1["bias"]).tolist(), net.fc1.bias().tolist())
        self.assertEqual(arrays["fc1"].dtype, np.uint8)

    def test_a_functional_op_does_not_take_a_modules_name(self):
        class Net(Small):
            def __init__(self):
                super().__init__()
                self.relu = nn.ReLU()

            def forward(self, x):
                return self.dequant(self.relu(F.relu(self.fc1(self.quant(x)))))

        model, _, _ = self.export(converted(Net(), X), X)
        self.assertEqual([name for name, op, _ in self.edges(model) if op == "relu"], ["relu_", "relu"])

    def test_reshapes_keep_the_value_and_its_name(self):
        class Net(Small):
            def forward(self, x):
                return self.dequant(self.fc2(self.fc1(self.quant(x).flatten(1)).unsqueeze(0)).squeeze(0))

        model, arrays, _ = self.export(converted(Net(), X.view(10, 1, 2, 3)), X.view(10, 1, 2, 3))
        self.assertEqual([source for _, _, source in self.edges(model)], ["x", "quant", "fc1", "fc2"])
        self.assertEqual({name: array.shape for name, array in arrays.items()},
                         {"x": (10, 6), "quant": (10, 6), "fc1": (10, 8), "fc2": (10, 3), "dequant": (10, 3), "batch_sizes": (1,)})

    def test_tokens_are_samples(self):
        _, arrays, _ = self.export(small(), X.view(2, 5, 6))
        self.assertEqual((arrays["fc1"].shape, arrays["batch_sizes"].tolist()), ((10, 8), [10]))

    def test_layers_with_other_rows_are_left_out_with_a_warning(self):
        class Net(Small):
            def __init__(self):
                super().__init__()
                self.requant = Q.QuantStub()

            def forward(self, x):
                rows = self.dequant(self.fc1(self.quant(x))).median(1).values
                return self.dequant(self.fc2(self.requant(rows)))

        net = converted(Net(), X.view(2, 5, 6))
        model, arrays, warned = self.export(net, X.view(2, 5, 6))
        self.assertNotIn("fc2", arrays)
        self.assertRegex(warned, "fc2.*select=")
        model, arrays, _ = self.export(net, X.view(2, 5, 6), select="fc2")
        self.assertEqual((self.edges(model), arrays["fc2"].shape), ([("fc2", "linear", "requant")], (2, 3)))

    def test_changes_in_place_are_seen(self):
        class Net(Small):
            def forward(self, x):
                y = self.fc1(self.quant(x))
                y.relu_()
                z = self.dequant(y)
                z[:, 0] = 7.0
                return torch.sigmoid(z)

        net = converted(Net(), X)
        model, arrays, _ = self.export(net, X)
        self.assertEqual(self.edges(model)[-1], ("sigmoid", "sigmoid", "dequant.inplace"))
        self.assertTrue((arrays["fc1"] < model["layers"][1]["output"]["zero_point"]).any(), "fc1 is captured before relu_")
        np.testing.assert_array_equal(arrays["dequant.inplace"][:, 0], np.full(10, 7.0))
        self.assertTrue((arrays["dequant"][:, 0] != 7).all())
        _, arrays, _ = self.export(net, X, select="relu")  # its input is not written before relu_ overwrites it
        self.assertTrue((arrays["fc1"] < arrays["relu"]).any())

    def test_relu6_in_place(self):
        net = converted(nn.Sequential(Q.QuantStub(), nn.Linear(6, 8), nn.ReLU6(inplace=True), nn.Linear(8, 3), Q.DeQuantStub()), X * 20)
        model, arrays, _ = self.export(net, X * 20)
        self.assertEqual(self.edges(model)[1:4], [("1", "linear", "0"), ("2", "relu6", "1"), ("3", "linear", "2")])
        self.assertTrue((arrays["1"] != arrays["2"]).any())

    def test_a_constant_batch_of_weights_is_no_value(self):
        class Net(Small):
            def forward(self, x):
                return self.dequant(self.fc1(self.quant(x + torch.ones(6))))

        model, _, _ = self.export(converted(Net(), X), X)
        self.assertEqual(self.edges(model)[0], ("add", "add", ["x", "add.other"]))
        self.assertEqual(model["constants"], [{"name": "add.other", "dtype": "float32", "shape": [6], "value": [1.0] * 6}])

    def test_tables_of_codes(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.words, self.bag, self.fc = nn.Embedding(9, 6), nn.EmbeddingBag(7, 6, mode="sum", include_last_offset=True), nn.Linear(12, 3)

            def forward(self, word, members, ends):
                return self.fc(torch.cat([self.words(word), self.bag(members, ends)], 1))

        net = Net().eval()
        net.words.qconfig, net.bag.qconfig = Q.float_qparams_weight_only_qconfig, Q.float_qparams_weight_only_qconfig_4bit
        net = Q.quantize_dynamic(Q.convert(Q.prepare(net)), {nn.Linear})
        model, arrays, _ = self.export(net, (torch.tensor([1, 8, 2]), torch.tensor([3, 0, 6, 6]), torch.tensor([0, 3, 3, 4])))
        self.assertEqual(self.edges(model), [("words", "embedding", "word"), ("bag", "embedding_bag", "bag.indices"),
                                             ("cat", "cat", ["words", "bag"]), ("fc", "linear_dynamic", "cat")])
        self.assertEqual([layer["weight_dtype"] for layer in model["layers"][:2]], ["uint8", "uint4"])
        np.testing.assert_array_equal(arrays["bag.indices"], [[3, 0, 6, -1], [-1, -1, -1, -1], [6, -1, -1, -1]])

    def test_integer_tokens_enter_through_an_embedding(self):
        net = nn.Sequential(nn.Embedding(9, 6), nn.Linear(6, 3))
        model, arrays, _ = self.export(Q.quantize_dynamic(net.eval(), {nn.Linear}), torch.arange(8).view(2, 4))
        self.assertEqual(model["inputs"], [{"name": "input", "dtype": "int32", "scale": 1.0, "zero_point": 0, "shape": [4]}])
        self.assertEqual(self.edges(model), [("0", "embedding", "input"), ("1", "linear_dynamic", "0")])
        self.assertEqual((arrays["input"].dtype, arrays["0"].shape), (np.int32, (2, 4, 6)))

    def test_names_that_mean_something_else_in_a_capture(self):
        class Net(Small):
            def forward(self, batch_sizes):
                return super().forward(batch_sizes)

        model, arrays, _ = self.export(converted(Net(), X), X)
        self.assertEqual((model["inputs"][0]["name"], arrays["batch_sizes"].tolist()), ("batch_sizes_", [10]))


class Floats(Case):
    def test_a_view_of_what_changed_in_place_before_is_no_change(self):
        class Net(Small):
            def forward(self, x):
                x = super().forward(x)
                x = x.mul_(2).add_(1)
                one, two = x.view(len(x), 3, 1).unbind(2)[0], x[:, :2]
                return one[:, :2] + two

        model, _, _ = self.export(converted(Net(), X), X)
        self.assertEqual([name for name, op, _ in self.edges(model) if op == "inplace"], [])

    def test_heads_in_a_batch_have_their_samples_first(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(6, 8)

            def forward(self, x):
                heads = F.normalize(self.fc(x).view(-1, 5, 2, 4).transpose(1, 2).reshape(-1, 5, 4), dim=-1)
                return F.relu(torch.bmm(heads, heads.transpose(1, 2)) + torch.ones(5)).sum(1)

        X = torch.randn(3, 5, 6, generator=torch.Generator().manual_seed(0))
        model, arrays, said = self.export(Q.quantize_dynamic(Net(), {nn.Linear}), X)
        self.assertEqual([(layer["name"], layer["op"], layer["shape"]) for layer in model["layers"]],
                         [("fc", "linear_dynamic", [5, 8]), ("reshape", "reshape", [5, 2, 4]), ("transpose", "transpose", [2, 5, 4]),
                          ("vector_norm", "vector_norm", [2, 5, 1]), ("clamp", "clamp", [2, 5, 1]), ("expand", "expand", [2, 5, 4]), ("div", "div", [2, 5, 4]),
                          ("permute", "permute", [2, 4, 5]), ("matmul", "matmul", [2, 5, 5]), ("add", "add", [2, 5, 5]), ("relu", "relu", [2, 5, 5]),
                          ("sum", "sum", [2, 5])])
        self.assertEqual(model["layers"][-1]["dim"], [2])
        np.testing.assert_allclose(arrays["relu"].sum(2), arrays["sum"], rtol=1e-5)
        self.assertEqual(said, "")

    def test_masks_are_constants_and_parts_of_the_samples_are_said(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(6, 8)

            def forward(self, x):
                y = self.fc(x)
                mask = y.new_zeros((4, 8))
                mask[1:3, :2] = -100.0
                y = y + mask
                return y, F.relu(y[1:].flatten(1))

        model, _, said = self.export(Q.quantize_dynamic(Net(), {nn.Linear}), torch.randn(5, 4, 6))
        self.assertEqual([(layer["name"], layer["op"], "output" in layer) for layer in model["layers"][:3]],
                         [("fc", "linear_dynamic", True), ("add", "add", True), ("slice", "slice of samples", True)])
        self.assertEqual(sum(np.asarray(model["constants"][0]["value"]) == -100), 4)
        self.assertIn("slice (slice of samples)", said)

    def test_prelu_and_transposed_convolutions(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.quant, self.a, self.dequant = Q.QuantStub(), nn.Conv2d(2, 4, 3), Q.DeQuantStub()
                self.p, self.u = nn.PReLU(4), nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2)

            def forward(self, x):
                return self.u(self.p(self.dequant(self.a(self.quant(x)))))

        net, x = Net(), torch.randn(2, 2, 5, 5)
        weight = net.u.weight.detach().clone()
        net.u.qconfig = None
        net.eval().qconfig = models.qconfig()
        for module in (net.p, net.u):
            module.qconfig = None
        prepared = Q.prepare(net)
        prepared(x)
        model, _, _ = self.export(Q.convert(prepared), x)
        layers = {layer["name"]: layer for layer in model["layers"]}
        self.assertEqual([layers[name]["op"] for name in "pu"], ["prelu", "conv_transpose2d_float"])
        self.assertEqual(layers["u"]["output_padding"], [1, 1])
        # [in, out / groups] a group each to [out, in / groups]
        turned = weight.view(2, 2, 3, 3, 3).transpose(1, 2).reshape(6, 2, 3, 3)
        np.testing.assert_array_equal(np.float32(layers["u"]["weight"]), turned.reshape(-1).numpy())


class Shapes(Case):
    """Where a layer is no row of a matrix, values have their shapes."""

    def net(self, name, engine="x86"):
        import networks

        return networks.quantized(name, engine), networks.inputs(name, 3)

    def test_every_op_of_the_networks_is_replayed(self):
        for name in ("residual", "inverted", "squeeze", "inception", "unet", "audio", "curves"):
            net, x = self.net(name)
            model, arrays, warned = self.export(net, x)
            self.assertEqual(warned, "", name)
            layers = {layer["name"]: layer for layer in model["layers"]}
            self.assertEqual({"quantize", *layers} - set(arrays), set(), name)
            for key, layer in layers.items():
                self.assertEqual((3, *layer["shape"]), arrays[key].shape, (name, key))
            np.testing.assert_array_equal(arrays[model["layers"][-1]["name"]], net(x).numpy(), name)

    def test_a_block_that_runs_twice_and_its_skip_connections(self):
        model, _, _ = self.export(*self.net("residual"))
        layers = {layer["name"]: layer for layer in model["layers"]}
        self.assertEqual(layers["a.0@2"]["weight"], layers["a.0"]["weight"])
        self.assertEqual([layers[name]["input"] for name in ("add", "add@2")], [["pool", "b.0"], ["add", "b.0@2"]])
        self.assertEqual((layers["add"]["op"], layers["add"]["activation"]), ("add", "relu"))
        self.assertEqual(layers["a.0"]["memory_format"], "channels_last")

    def test_tied_weights_are_one_array(self):
        net = converted(nn.Sequential(Q.QuantStub(), nn.Linear(80, 80), nn.Linear(80, 80), Q.DeQuantStub()), torch.randn(9, 80))
        net[2] = net[1]
        model, _, _ = self.export(net, torch.randn(2, 80))
        first, second = (layer["weight"] for layer in model["layers"] if layer["op"] == "linear")
        self.assertEqual(first, second)
        self.assertEqual(sum(name.endswith(".weight") for name in np.load(self.out / "model.npz")), 1)

    def test_geometry(self):
        layers = {layer["name"]: layer for layer in self.export(*self.net("audio"))[0]["layers"]}
        self.assertEqual([layers["b"][key] for key in ("stride", "padding", "dilation", "groups")], [[1], [2], [2], 8])
        layers = {layer["name"]: layer for layer in self.export(*self.net("unet"))[0]["layers"]}
        found = {layer["mode"]: layer["scale_factor"] for layer in layers.values() if layer["op"] == "interpolate"}
        self.assertEqual(found, {"nearest": [2.0, 2.0], "bilinear": [2.0, 2.0]})


class Producer(Case):
    def test_flow_engine_and_machine(self):
        with mock.patch.dict(os.environ, {"ATEN_CPU_CAPABILITY": "avx2"}):
            producer = self.export(small(), X)[0]["producer"]
        self.assertEqual((producer["framework"], producer["framework_version"]), ("pytorch", torch.__version__))
        self.assertEqual((producer["flow"], producer["engine"]), ("eager", torch.backends.quantized.engine))
        self.assertEqual(producer["cpu_capability"], torch.backends.cpu.get_cpu_capability())
        self.assertEqual(producer["environment"]["ATEN_CPU_CAPABILITY"], "avx2")
        if Path("/proc/cpuinfo").exists():
            self.assertEqual(producer["avx512_vnni"], torch.cpu._is_vnni_supported())
            self.assertIsInstance(producer["avx_vnni"], bool)
            # what the CPU has, whatever the variable allows
            self.assertEqual(producer["avx512"], torch.cpu._is_avx512_supported())
            self.assertEqual(producer["amx_int8"], torch.cpu._is_amx_tile_supported())

    def test_flows(self):
        flows = {models.eager: "eager", models.fx: "fx", models.dynamic: "dynamic", models.dynamic_full_range: "dynamic"}
        for build, flow in flows.items():
            net, inputs, _ = build()
            self.assertEqual(self.export(net, inputs)[0]["producer"]["flow"], flow, build)

    def test_another_torch_is_warned_of(self):
        with mock.patch.object(torch, "__version__", "2.9.1"):
            self.assertIn("tested with torch 2.13, this is 2.9.1", self.export(small(), X)[2])

    def test_a_model_packed_by_another_engine_is_warned_of(self):
        class Net(nn.Module):  # (3 + 4 + 0.6) * 2 is 15.2, but 16 with QNNPACK, which rounds the bias to 1 first
            def __init__(self):
                super().__init__()
                weight = torch.quantize_per_tensor(torch.ones(1, 2), 1.0, 0, torch.qint8)
                self.packed = torch.ops.quantized.linear_prepack(weight, torch.tensor([0.6]))

            def forward(self, x):
                x = torch.quantize_per_tensor(x, 1.0, 0, torch.quint8)
                return torch.ops.quantized.linear(x, self.packed, 0.5, 0).dequantize()

        torch.backends.quantized.engine = "qnnpack"
        net, x = Net().eval(), torch.tensor([[3.0, 4.0]])
        self.assertNotIn("another engine", self.export(net, x)[2])
        torch.backends.quantized.engine = "fbgemm"
        self.assertIn("linear: engine fbgemm computes other values", self.export(net, x)[2])

    def test_training_mode_is_warned_of(self):
        self.assertIn("training mode", self.export(small().train(), X)[2])


class Inputs(Case):
    def test_tensor_array_tuple_dict_and_loader_are_the_same(self):
        net = small()
        expected = self.export(net, X)[1]
        loader = DataLoader(TensorDataset(X, torch.arange(10)), batch_size=4)
        forms = {"float64 array": X.double().numpy(), "tuple": (X,), "dict": {"x": X}, "list": [X[:4], X[4:8], X[8:]],
                 "loader with labels": loader, "dicts": [{"x": X[:4], "labels": X}, {"x": X[4:], "labels": X}]}
        for form, inputs in forms.items():
            arrays = self.export(net, inputs)[1]
            sizes = arrays.pop("batch_sizes")
            self.assertEqual(sizes.sum(), 10)
            self.assertEqual(len(sizes), {"list": 3, "loader with labels": 3, "dicts": 2}.get(form, 1), form)
            for name, values in arrays.items():
                np.testing.assert_array_equal(values, expected[name], f"{form} {name}")

    def test_several_arguments(self):
        class Net(Small):
            def forward(self, x, scale, parts=()):
                return super().forward(x * scale + parts[0])

        model = Net().eval()
        model.qconfig = models.qconfig()
        prepared = Q.prepare(model)
        arguments = (X, torch.full((10, 6), 2.0), [torch.ones(10, 6), torch.ones(10, 6)])
        prepared(*arguments)
        exported, arrays, _ = self.export(Q.convert(prepared), arguments, select="mul")
        self.assertEqual([entry["name"] for entry in exported["inputs"]], ["x", "scale"])
        self.assertEqual(set(arrays), {"x", "scale", "mul", "batch_sizes"})

    def test_limit_cuts_the_last_call(self):
        net = small()
        for inputs, sizes in ((X, [7]), ([X[:4], X[4:8], X[8:]], [4, 3])):
            arrays = self.export(net, inputs, limit=7)[1]
            self.assertEqual((arrays["batch_sizes"].tolist(), len(arrays["fc1"])), (sizes, 7))

    def test_limit_does_not_ask_for_more(self):
        def endless():
            while True:
                yield X

        self.assertEqual(len(self.export(small(), endless(), limit=25)[1]["x"]), 25)

    def test_dynamic_layers_have_their_batches(self):
        net, inputs, _ = models.dynamic()
        arrays = self.export(net, inputs)[1]
        self.assertEqual(arrays["batch_sizes"].tolist(), [5, 8])
        np.testing.assert_array_equal(arrays["3"], torch.cat([net(x) for x in inputs]).detach().numpy())

    def test_refused(self):
        net = small()
        self.assertIn("no samples", self.refused(net, []))
        self.assertIn("no samples", self.refused(net, X[:0]))
        self.assertIn("expected a tensor, a tuple, a dict or a DataLoader, got int", self.refused(net, 5))
        self.assertIn("expected tensors, got str", self.refused(net, ["a"]))
        self.assertIn("limit: expected 1 or more", self.refused(net, X, limit=0))
        self.assertIn("inputs: on meta; quantized kernels run on the CPU", self.refused(net, X.to("meta")))
        self.assertIn("pass float32 inputs", self.refused(net, X.double()))


class Selection(Case):
    def test_what_is_left_out_becomes_an_input(self):
        net = small()
        model, arrays, _ = self.export(net, X, select=["fc*"])
        self.assertEqual(self.edges(model), [("fc1", "linear", "quant"), ("fc2", "linear", "relu")])
        full, all_arrays, _ = self.export(net, X)
        outputs = {layer["name"]: layer["output"] for layer in full["layers"]}
        self.assertEqual(model["inputs"], [{"name": name, **outputs[name]} for name in ("quant", "relu")])
        self.assertEqual(set(arrays), {"quant", "fc1", "relu", "fc2", "batch_sizes"})
        for name in ("quant", "fc1", "relu", "fc2"):
            np.testing.assert_array_equal(arrays[name], all_arrays[name])

    def test_no_match(self):
        message = self.refused(small(), select=["fc1", "fc3"])
        self.assertIn("select: 'fc3' matches no layer; the layers are quant, fc1, relu, fc2, dequant", message)


class Refusals(Case):
    def test_float_model(self):
        self.assertIn("fc1 is a float torch.nn.Linear: the model is not quantized", self.refused(Small().eval()))

    def test_prepared_model(self):
        net = Small().eval()
        net.qconfig = models.qconfig()
        self.assertRegex(self.refused(Q.prepare(net)), r"^quant.activation_post_process is a MinMaxObserver: .*not converted")
        net = Small().train()
        net.qconfig = Q.get_default_qat_qconfig("x86")
        self.assertRegex(self.refused(Q.prepare_qat(net)), "FakeQuantize: the model is prepared but not converted")

    def test_dropout_in_training_mode(self):
        net = nn.Sequential(small(), nn.Dropout(0.5))
        self.assertIn("1 is a Dropout in training mode, whose values are random: call model.eval() first", self.refused(net))
        self.export(net.eval(), X)

    def test_inputs_that_do_not_fit(self):
        said = self.refused(small(), torch.randn(3, 7))
        self.assertRegex(said, r"^fc1: quantized.linear failed: .*; fc1 takes 6 input features; the model was called with x \[3, 7\]$")
        self.assertRegex(self.refused(small(), torch.ones(3, 6, dtype=torch.int64)), r"pass float32 inputs: inputs.float\(\)")

    def test_what_is_no_module(self):
        self.assertIn("got a state_dict", self.refused(small().state_dict()))
        self.assertIn("got NoneType", self.refused(None))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced, compiled = torch.jit.trace(small(), X), torch.compile(small())
        self.assertIn("before torch.jit.script or trace", self.refused(traced))
        self.assertIn("export model._orig_mod", self.refused(compiled))

    def test_another_device(self):
        self.assertIn("fc1.weight is on meta: quantized kernels run on the CPU; call model.cpu()", self.refused(Small().to("meta")))

    def test_weights_of_other_widths(self):
        class Int4Tensor(torch.Tensor):
            pass

        Int4Tensor.__module__ = "torchao.quantization"
        net = Small()
        net.fc2.weight = nn.Parameter(net.fc2.weight.detach().as_subclass(Int4Tensor), requires_grad=False)
        net.fc2._parameters["weight"] = net.fc2.weight.as_subclass(Int4Tensor)
        self.assertIn("fc2.weight is a torchao Int4Tensor", self.refused(net))

    def test_channels_along_another_axis(self):
        torch.backends.quantized.engine = "onednn"
        net = small()
        weight = torch.quantize_per_channel(torch.randn(8, 9), torch.full((9,), 0.1), torch.zeros(9, dtype=torch.int64), 1, torch.qint8)
        net.fc1.set_weight_bias(weight, None)
        self.assertIn("fc1: weights per channel along axis 1", self.refused(net, torch.randn(3, 9)))

    def test_quantized_and_float_meet(self):
        class NoStub(Small):
            def forward(self, x):
                return self.fc1(x)

        self.assertRegex(self.refused(converted(NoStub(), X)), "^fc1: quantized.linear failed: .*put QuantStub before it")
        net = small()
        net.fc2 = nn.Linear(8, 3)
        self.assertRegex(self.refused(net), "^fc2: aten.addmm failed: .*put DeQuantStub before it")

    def test_missing_engine(self):
        error = RuntimeError("Didn't find engine for operation quantized::linear NoQEngine")
        net = small()
        with mock.patch.object(qdiff_export._EagerWatch, "run", autospec=True) as run:
            def fails(watch, args, kwargs):
                watch.failed_at = ("fc1", "quantized.linear")
                raise error

            run.side_effect = fails
            message = self.refused(net)
        self.assertRegex(message, "^fc1: quantized.linear failed: Didn't find engine .*")
        self.assertRegex(message, "set torch.backends.quantized.engine to one of .*qnnpack")

    def test_errors_of_the_users_own_code_stay_as_they_are(self):
        class Net(Small):
            def forward(self, x):
                raise KeyError("mine")

        with self.assertRaises(KeyError):
            self.export(Net(), X)

    def test_another_path_in_a_later_call(self):
        class Net(Small):
            def forward(self, x):
                x = self.fc1(self.quant(x))
                return self.dequant(F.relu(x) if len(x) == 10 else x)

        self.assertRegex(self.refused(converted(Net(), X), [X, X[:3]]), "call 1: the model does not do what it did in call 0: .*dequant")

    def test_lowered_is_for_pt2e(self):
        self.assertIn("lowered=True is for graphs of convert_pt2e", self.refused(small(), lowered=True))


class Untouched(Case):
    def hooks(self, net):
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._forward_hooks_always_called) for m in net.modules())

    def test_no_hook_stays_and_the_model_computes_what_it_did(self):
        net = small()
        before = net(X)
        self.export(net, X)
        self.assertEqual(self.hooks(net), 0)
        self.assertTrue(torch.equal(net(X), before))

    def test_no_hook_and_no_file_stays_after_an_error(self):
        net = small()
        self.refused(net, X[:, :5])
        self.assertEqual(self.hooks(net), 0)

    def test_an_error_leaves_the_files_of_before(self):
        net = small()
        self.export(net, X)
        before = {path.name: path.read_bytes() for path in self.out.iterdir()}
        with self.assertRaises(qdiff_export.ExportError):
            self.export(net, [X, X[:, :5]])
        self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir()}, before)

    def test_a_failing_write_leaves_nothing(self):
        with mock.patch.object(qdiff_export, "_producer", side_effect=OSError("disk full")), self.assertRaises(OSError):
            self.export(small(), X)
        self.assertEqual(list(self.out.parent.iterdir()), [])

    def test_a_file_where_the_folder_should_be(self):
        self.out.write_text("mine")
        with self.assertRaisesRegex(qdiff_export.ExportError, "expected a folder, found a file"):
            self.export(small(), X)
        self.assertEqual(self.out.read_text(), "mine")


class Files(Case):
    def test_a_small_model_is_one_file_and_a_layer_a_line(self):
        self.export(small(), X)
        self.assertEqual({path.name for path in self.out.iterdir()}, {"model.json", "capture.npz"})
        self.assertEqual(len((self.out / "model.json").read_text().splitlines()), 5 + 2)

    def test_a_large_model_keeps_its_numbers_beside(self):
        net = converted(nn.Sequential(Q.QuantStub(), nn.Linear(5000, 5000), Q.DeQuantStub()), torch.randn(4, 5000))
        model, _, _ = self.export(net, torch.randn(2, 5000))
        self.assertLess((self.out / "model.json").stat().st_size, 4000)
        self.assertEqual(model["arrays"], "model.npz")
        numbers, layer = np.load(self.out / "model.npz"), model["layers"][1]
        weight = net[1].weight()
        np.testing.assert_array_equal(numbers[layer["weight"]["array"]], weight.int_repr().numpy())
        np.testing.assert_array_equal(numbers[layer["weight_scale"]["array"]], weight.q_per_channel_scales().numpy())
        self.assertEqual(numbers[layer["bias"]["array"]].dtype, np.float32)
        self.export(small(), X)
        self.assertEqual({path.name for path in self.out.iterdir()}, {"model.json", "capture.npz"}, "the large model's npz is gone")

    def test_capture_alone(self):
        net = small()
        self.export(net, X)
        path = qdiff_export.capture(net, X, self.out.parent / "second" / "capture.npz")
        alone, exported = np.load(path), np.load(self.out / "capture.npz")
        self.assertEqual({*alone}, {*exported, "producer"})
        for name in exported:
            np.testing.assert_array_equal(alone[name], exported[name])

    def test_per_tensor_weights(self):
        net, inputs, _ = models.eager(per_channel=False)
        layer = self.export(net, inputs)[0]["layers"][1]
        self.assertEqual((layer["weight_scale"], layer["weight_zero_point"]), (net.fc1.weight().q_scale(), 0))


class CommandLine(Case):
    def test_a_saved_module(self):
        folder = self.out.parent
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(EXPORTER.parent)}

        def run(*command):
            return subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, env=environment, cwd=folder)

        self.assertEqual(run(HERE / "thread_script.py", "trained").returncode, 0)
        saved = ["--model", "trained/trained_qat.pth", "--inputs", "trained/x.npy", "--import", HERE / "thread_script.py"]
        ran = run(EXPORTER, *saved, "--out", self.out)
        self.assertEqual((ran.returncode, "runs code" in ran.stderr), (0, True), ran.stderr)
        for name in ("model.json", "capture.npz"):
            self.assertEqual((self.out / name).read_bytes(), (folder / "trained" / name).read_bytes(), name)
        ran = run(EXPORTER, *saved, "--out", self.out, "--batch", "40", "--limit", "100", "--select", "fc*", "--engine", "qnnpack")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(np.load(self.out / "capture.npz")["batch_sizes"].tolist(), [40, 40, 20])
        self.assertEqual(json.loads((self.out / "model.json").read_text())["producer"]["engine"], "qnnpack")

    def command(self, **options):
        """(exit code, standard error)"""
        files = {"model": self.out.parent / "model.pth", "inputs": self.out.parent / "x.npy", "out": self.out, **options}
        with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = qdiff_export.main([f"--{name}={value}" for name, value in files.items()])
        self.assertNotIn("Traceback", said.getvalue())
        return code, said.getvalue()

    def test_a_function_that_takes_something(self):
        script = self.out.parent / "mine.py"
        script.write_text("def model(x):\n    return x\n")
        np.save(self.out.parent / "x.npy", X.numpy())
        self.assertRegex(self.command(model=f"{script}:model")[1], "mine.py:model: it needs x: expected a quantized module, or a function without")

    def test_refused(self):
        folder = self.out.parent
        np.save(folder / "x.npy", X.numpy())
        lost = types.ModuleType("lost")
        with mock.patch.dict(sys.modules, {"lost": lost}):
            lost.Small = type("Small", (Small,), {"__module__": "lost"})
            torch.save(converted(lost.Small(), X), folder / "model.pth")
            del lost.Small
            code, said = self.command()
        self.assertEqual(code, 2)
        self.assertRegex(said, "Small.*give the Python file that defines the class, with --import FILE")
        self.assertRegex(self.command()[1], "No module named 'lost'; give the Python file that is this module, with --import FILE")
        torch.save(small().state_dict(), folder / "model.pth")
        self.assertIn("got a state_dict", self.command()[1])
        torch.save(small(), folder / "model.pth")
        self.assertEqual(self.command()[0], 0)
        self.assertIn("--engine nope: this CPU and this build of torch have", self.command(engine="nope")[1])
        self.assertIn("absent.pth", self.command(model=folder / "absent.pth")[1])
        np.save(folder / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
        self.assertIn("x.npy: expected an npy or npz file of numbers", self.command()[1])

    def test_import_runs_definitions_only(self):
        script = self.out.parent / "train.py"
        script.write_text("import absent_library\nSIZE = 6\nclass Net:\n    size = SIZE\nraise SystemExit('trained again')\n")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            qdiff_export._import_definitions(str(script))
        main = sys.modules["__main__"]
        self.addCleanup(delattr, main, "Net")
        self.assertEqual(main.Net.size, 6)
        self.assertIn("line 1: No module named 'absent_library'", str(caught[0].message))


def has_torchao():
    try:
        import torchao.quantization.pt2e  # noqa: F401
    except ImportError:
        return False
    return True


@unittest.skipUnless(has_torchao(), "torchao is not installed: it makes the graphs of convert_pt2e")
class Pt2e(Case):
    def test_dequantize_linear_relu_quantize_is_one_layer(self):
        for lowered in (False, True):
            net, inputs, _ = models.pt2e()
            model, arrays, warned = self.export(net, inputs, lowered=lowered)
            self.assertEqual(self.edges(model), [("quantize", "quantize", "x"), ("fc1", "linear", "quantize"), ("body.0", "linear", "fc1"),
                                                 ("body.1", "linear", "body.0"), ("head", "linear", "body.1")])
            self.assertEqual([layer.get("activation") for layer in model["layers"]], [None, "relu", "none", "relu", "none"])
            self.assertEqual(model["layers"][-1]["output"], {"dtype": "float32"})
            self.assertEqual(model["producer"]["flow"], "pt2e-lowered" if lowered else "pt2e-reference")
            self.assertEqual(warned, "")
            if not lowered:
                np.testing.assert_array_equal(arrays["head"], net(inputs).detach().numpy())

    def test_dict_inputs(self):
        net, inputs, _ = models.pt2e()
        expected = self.export(net, inputs)[1]
        np.testing.assert_array_equal(self.export(net, {"x": inputs})[1]["fc1"], expected["fc1"])

    def test_an_exported_program(self):
        net, inputs, _ = models.pt2e()
        program = torch.export.export(net, (inputs,))
        names = [name for name, _, _ in self.edges(self.export(program, inputs)[0])]
        self.assertEqual(names, ["quantize", "fc1", "body.0", "body.1", "head"])

    def test_what_has_no_op_is_not_replayed(self):
        class Net(models.Plain):
            def forward(self, x):
                x = self.body(self.relu1(self.fc1(x)))
                return self.head(torch.sigmoid(x) + torch.sin(x))

        with mock.patch.object(models, "Plain", Net):
            net, inputs, _ = models.pt2e()
        model, _, warned = self.export(net, inputs)
        self.assertIn("sin (aten.sin)", warned)
        self.assertNotIn("sigmoid", warned)
        self.assertIn("head", [name for name, op, _ in self.edges(model) if op == "linear"])

    def test_channels_along_another_axis(self):
        net, inputs, _ = models.pt2e()
        for node in net.graph.nodes:
            if "dequantize_per_channel" in str(node.target):
                node.args = (*node.args[:3], 1, *node.args[4:])
                break
        self.assertIn("fc1: weights per channel along axis 1", self.refused(net, inputs))

    def test_what_torch_compile_fuses_into_convolutions_is_one_layer(self):
        import networks
        net = networks.exported("shortcuts", networks.quantizers()["inductor"]())
        model, _, warned = self.export(net, networks.inputs("shortcuts", 6), lowered=True)
        layers = {layer["name"]: layer for layer in model["layers"] if layer["op"].startswith("conv2d")}
        self.assertEqual({name: (layer["op"], layer["activation"]) for name, layer in layers.items() if name != "g"},
                         {"a": ("conv2d", "silu"), "d": ("conv2d", "relu"), "b": ("conv2d_add", "relu"), "c": ("conv2d_add", "none"),
                          "e": ("conv2d", "none"), "f": ("conv2d", "silu")})
        self.assertEqual(layers["b"]["input"], ["d", "a"])
        self.assertEqual(warned, "")

    def test_dynamic_graphs(self):
        model, _, warned = self.export(*models.pt2e(is_dynamic=True)[:2])
        self.assertEqual(warned, "")
        self.assertEqual({layer["op"] for layer in model["layers"]}, {"linear_dynamic"})
        self.assertEqual([(layer["input"], layer["activation"], layer["reduce_range"], layer["output"]) for layer in model["layers"]][0],
                         ("x", "relu", False, {"dtype": "float32"}))
        self.assertEqual(model["producer"]["flow"], "pt2e-reference")
        lowered = self.export(*models.pt2e(is_dynamic=True)[:2], lowered=True)[0]
        self.assertEqual(lowered["layers"], model["layers"])
        self.assertEqual(lowered["producer"]["flow"], "pt2e-lowered")

    def test_dynamic_graphs_that_choose_otherwise(self):
        net, inputs, _ = models.pt2e(is_dynamic=True)
        for node in net.graph.nodes:
            if "choose_qparams" in str(node.target):
                node.args = (*node.args[:3], 1e-5, *node.args[4:])
        self.assertIn("with another eps than 2^-12", self.refused(net, inputs))

    def test_other_shapes_than_exported(self):
        net, _, _ = models.pt2e(batch=None)
        message = self.refused(net, models.samples(5))
        self.assertRegex(message, "^the model: _guards_fn failed: Guard failed: .*; the graph was exported for other shapes")

    def test_inside_another_module(self):
        net, inputs, _ = models.pt2e()
        self.assertIn("1 is a graph of convert_pt2e inside another module", self.refused(nn.Sequential(nn.Identity(), net), inputs))

    def test_per_tensor_weights(self):
        net, inputs, _ = models.pt2e(per_channel=False)
        self.assertIsInstance(self.export(net, inputs)[0]["layers"][1]["weight_scale"], float)
        self.assertIn("torch.compile lowers per-channel weights only", self.export(net, inputs, lowered=True)[2])


if __name__ == "__main__":
    unittest.main()
