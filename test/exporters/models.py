"""Quantized models of every flow, small, seeded, with inputs that saturate an int16 pair where the kernel can.

    python models.py OUT      exports each of them with qdiff_export to OUT/FLOW-ENGINE and prints, as JSON, what it did
"""
import json
import sys
import traceback
import warnings
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.filterwarnings("ignore", module="torch")
warnings.filterwarnings("ignore", category=DeprecationWarning)
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src" / "exporters" / "pytorch"))
import qdiff_export  # noqa: E402
import torch.ao.quantization as Q  # noqa: E402
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx  # noqa: E402

ENGINES = ("fbgemm", "x86", "onednn", "qnnpack")
FEATURES = 301  # 301 % 4 == 1 between 256 and 768: oneDNN's K blocks pair other neighbours than FBGEMM


class Block(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.fc = nn.Linear(features, features)

    def forward(self, x):
        return F.relu(self.fc(x))


class Net(nn.Module):
    """fc1 and relu1 get fused; block is nested and has a functional ReLU; mix runs twice; clip is a ReLU6."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = Q.QuantStub(), Q.DeQuantStub()
        self.fc1, self.relu1 = nn.Linear(FEATURES, 45), nn.ReLU()
        self.encoder = nn.Sequential(nn.Linear(45, 32), Block(32))
        self.mix, self.clip = nn.Linear(32, 32, bias=False), nn.ReLU6()
        self.add = nn.quantized.FloatFunctional()
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.encoder(self.relu1(self.fc1(self.quant(x))))
        y = self.clip(self.mix(self.mix(x)))
        return self.dequant(self.head(self.add.add(x, y)))


class FunctionalNet(nn.Module):
    """For FX: no stubs; the functional linear's weights become attributes of the graph."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(33, FEATURES)), nn.Parameter(torch.randn(33))
        self.relu1, self.block, self.head = nn.ReLU(), Block(33), nn.Linear(33, 10)

    def forward(self, x):
        return self.head(self.block(self.relu1(F.linear(x, self.weight, self.bias))))


class Plain(nn.Module):
    """For PT2E: linear, linear and ReLU, linear with a float result."""

    def __init__(self):
        super().__init__()
        self.fc1, self.relu1 = nn.Linear(FEATURES, 33), nn.ReLU()
        self.body = nn.Sequential(nn.Linear(33, 20), nn.Linear(20, 20, bias=False), nn.ReLU())
        self.head = nn.Linear(20, 7)

    def forward(self, x):
        return self.head(self.body(self.relu1(self.fc1(x))))


def samples(rows=64):
    return torch.rand(rows, FEATURES, generator=torch.Generator().manual_seed(rows)) * 4 - 1


def loud(build):
    """Weights near the two extremes, so that pairs of them saturate where activations are large."""
    torch.manual_seed(1)
    model = build()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                sign = torch.where(torch.rand_like(parameter) < 0.5, -1.0, 1.0)
                parameter.copy_(sign * (0.5 + torch.rand_like(parameter)) / parameter.shape[1] ** 0.5)
    return model.eval()


def qconfig(per_channel=True):
    """Activations over the whole of 0..255 (reduce_range=False), weights symmetric."""
    weight = Q.default_per_channel_weight_observer if per_channel else Q.default_weight_observer
    return Q.QConfig(activation=Q.MinMaxObserver.with_args(dtype=torch.quint8), weight=weight)


def eager(per_channel=True):
    model = Q.fuse_modules(loud(Net), [["fc1", "relu1"]])
    model.qconfig = qconfig(per_channel)
    prepared = Q.prepare(model)
    prepared(samples(256))
    return Q.convert(prepared), samples(), {}


def eager_per_tensor():
    return eager(per_channel=False)


def fx():
    mapping = Q.QConfigMapping().set_global(qconfig())
    prepared = prepare_fx(loud(FunctionalNet), mapping, (samples(4),))
    prepared(samples(256))
    return convert_fx(prepared), samples(), {}


def dynamic():
    model = loud(lambda: nn.Sequential(nn.Linear(FEATURES, 33), nn.ReLU(), Block(33), nn.Linear(33, 10, bias=False)))
    return Q.quantize_dynamic(model, {nn.Linear}), [samples(5), samples(8)], {}


def dynamic_full_range():
    """Activations over 0..255, which saturate: FX asks for that by engine, quantize_dynamic never does."""
    mapping = Q.QConfigMapping().set_global(Q.per_channel_dynamic_qconfig)
    model = convert_fx(prepare_fx(loud(FunctionalNet), mapping, (samples(4),)))
    for node in model.graph.nodes:
        if node.target is torch.ops.quantized.linear_relu_dynamic:
            node.args = (*node.args[:2], False)
    model.recompile()
    return model, [samples(9), samples(3)], {}


def pt2e(lowered=False, per_channel=True, is_dynamic=False, batch="batch"):
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    config = x86.get_default_x86_inductor_quantization_config(is_dynamic=is_dynamic)
    if not per_channel:
        from torchao.quantization.pt2e.observer import MinMaxObserver
        from torchao.quantization.pt2e.quantizer import QuantizationSpec

        weight = QuantizationSpec(dtype=torch.int8, quant_min=-128, quant_max=127, qscheme=torch.per_tensor_symmetric,
                                  observer_or_fake_quant_ctr=MinMaxObserver)
        config = x86.QuantizationConfig(config.input_activation, config.output_activation, weight, config.bias, False)
    shapes = ({0: torch.export.Dim(batch, min=2)},) if batch else None
    graph = torch.export.export(loud(Plain), (samples(4),), dynamic_shapes=shapes).module()
    prepared = prepare_pt2e(graph, x86.X86InductorQuantizer().set_global(config))
    prepared(samples(256 if batch else 4))
    return convert_pt2e(prepared), samples(), {"lowered": lowered}


def pt2e_lowered():
    return pt2e(lowered=True)


def pt2e_dynamic(lowered=False):
    model, inputs, _ = pt2e(is_dynamic=True)
    return model, [inputs[:40], inputs[40:]], {"lowered": lowered}


def pt2e_per_tensor():
    return pt2e(per_channel=False)


def torchao(static=False, **config):
    """Every linear of torchao's quantize_, called twice."""
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, PerRow, PerTensor, quantize_
    from torchao.quantization.quant_api import Int8StaticActivationInt8WeightConfig

    model = loud(Plain)
    if static:
        scale = torch.tensor([[3 / 127.5]])
        quantize_(model, Int8StaticActivationInt8WeightConfig(act_quant_scale=scale, granularity=[PerTensor(), PerRow()]))
    else:
        config = {key: PerTensor() if value == "tensor" else value for key, value in config.items()}
        quantize_(model, Int8DynamicActivationInt8WeightConfig(**config))
    return model, [samples(9), samples(5)], {}


def torchao_zero_point():
    from torchao.quantization import MappingType

    return torchao(act_mapping_type=MappingType.ASYMMETRIC)


TORCHAO = {"torchao": torchao, "torchao-per-tensor": lambda: torchao(granularity="tensor"), "torchao-zero-point": torchao_zero_point,
           "torchao-reduce-range": lambda: torchao(reduce_range=True), "torchao-static": lambda: torchao(static=True)}
PER_ENGINE = {"eager": eager, "eager-per-tensor": eager_per_tensor, "fx": fx, "dynamic": dynamic, "dynamic-full-range": dynamic_full_range}
PT2E = {"pt2e-reference": pt2e, "pt2e-reference-per-tensor": pt2e_per_tensor, "pt2e-reference-dynamic": pt2e_dynamic, "pt2e-lowered-dynamic": lambda: pt2e_dynamic(lowered=True), "pt2e-lowered": pt2e_lowered}


def main(out):
    done = {}

    def attempt(name, build):
        try:
            model, inputs, settings = build()
            qdiff_export.export(model, inputs, Path(out) / name, **settings)
            done[name] = {"exported": True}
        except ModuleNotFoundError as error:
            done[name] = {"missing": error.name}
        except Exception:
            done[name] = {"error": traceback.format_exc()}

    for engine in ENGINES:
        for flow, build in PER_ENGINE.items():
            if engine not in torch.backends.quantized.supported_engines:
                done[f"{flow}-{engine}"] = {"missing": f"engine {engine} on this CPU"}
                continue
            torch.backends.quantized.engine = engine
            attempt(f"{flow}-{engine}", build)
    for flow, build in {**PT2E, **TORCHAO}.items():
        attempt(flow, build)
    print(json.dumps(done))


if __name__ == "__main__":
    main(sys.argv[1])
