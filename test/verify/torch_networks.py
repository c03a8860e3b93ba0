"""Random networks of PyTorch, quantized by FX for any of its engines or by PT2E, and exported.

python torch_networks.py OUT --seed 1 --each 20
"""
import argparse
import contextlib
import importlib.util
import io
import json
import math
import random
import warnings
from pathlib import Path

import torch
import torch.ao.quantization as Q
import torch.nn as nn
import torch.nn.functional as F
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

EXPORTER = Path(__file__).parents[2] / "src/exporters/pytorch/qdiff_export.py"
ENGINES = ("fbgemm", "x86", "onednn", "qnnpack")


class Net(nn.Module):
    """Blocks of an image, drawn once and then called in turn: each a function of the value so far. Its size is followed along."""

    def __init__(self, seed):
        super().__init__()
        self.random = random.Random(seed)
        torch.manual_seed(seed)
        self.c, self.h, self.w = self.pick([1, 3, 4, 8]), self.pick([8, 9, 12]), self.pick([8, 11, 12])
        self.shape = (self.c, self.h, self.w)
        self.parts, self.blocks = nn.ModuleList(), []
        makes = [self.plain, self.plain, self.plain, self.residual, self.excite, self.pool, self.branches, self.resize, self.transposed, self.moved, self.norm]
        for _ in range(self.random.randint(2, 5)):
            self.pick(makes)()
        self.end()
        self.eval()

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, part):
        return self.random.random() < part

    def part(self, module):
        self.parts.append(module)
        return module

    def activation(self, channels):
        make = self.pick([nn.Identity, nn.Identity, nn.ReLU, nn.ReLU, nn.ReLU6, nn.Hardswish, nn.Hardsigmoid, nn.ELU, nn.Sigmoid, nn.Tanh, nn.SiLU, nn.GELU,
                          nn.Mish, lambda: nn.LeakyReLU(0.1), lambda: nn.Hardtanh(-1.0, 2.0), lambda: nn.PReLU(channels, 0.2)])
        return self.part(make())

    def conv(self, c, size, out=None, kernel=None, groups=None, same=False):
        """Returns the module, its channels and the size it makes."""
        k = kernel or self.pick([1, 3, 3, 5])
        stride, dilation = (1, 1) if same else (self.pick([1, 1, 2]), self.pick([1, 1, 2]))
        groups = groups or self.pick([1, 1, c])
        out = out or self.pick([4, 6, 8, 16])
        out = out if out % groups == 0 else groups * self.pick([1, 2])
        reach = dilation * (k - 1) + 1
        pad = reach // 2 if same or min(size) < reach else self.random.randint(0, reach // 2)
        module = self.part(nn.Conv2d(c, out, k, stride, pad, dilation, groups, self.chance(0.8)))
        if self.chance(0.35):
            bn = self.part(nn.BatchNorm2d(out))
            bn.running_mean.normal_(0, 0.2)
            bn.running_var.uniform_(0.5, 2)
            module = self.part(nn.Sequential(module, bn))
        return module, out, tuple((n + 2 * pad - reach) // stride + 1 for n in size)

    # ------------------------------------------------------------ blocks

    def plain(self):
        conv, self.c, (self.h, self.w) = self.conv(self.c, (self.h, self.w))
        act = self.activation(self.c)
        self.blocks.append(lambda x: act(conv(x)))

    def residual(self):
        conv, *_ = self.conv(self.c, (self.h, self.w), self.c, 3, same=True)
        act = self.activation(self.c)
        join = self.pick([lambda a, b: a + b, lambda a, b: b + a, lambda a, b: a * b])
        last = self.part(self.pick([nn.ReLU, nn.Identity])())
        self.blocks.append(lambda x: last(join(x, act(conv(x)))))

    def excite(self):
        few = max(1, self.c // 2)
        down, up = self.part(nn.Conv2d(self.c, few, 1)), self.part(nn.Conv2d(few, self.c, 1))
        relu, gate = self.part(nn.ReLU()), self.part(self.pick([nn.Sigmoid, nn.Hardsigmoid])())
        self.blocks.append(lambda x: x * gate(up(relu(down(F.adaptive_avg_pool2d(x, 1))))))

    def pool(self):
        if min(self.h, self.w) < 4:
            return
        k, stride, ceil = self.pick([2, 3]), self.pick([1, 2]), self.chance(0.3)
        pad = self.random.randint(0, k - 2)
        more = {"ceil_mode": ceil} if self.chance(0.5) else {"ceil_mode": ceil, "count_include_pad": self.chance(0.5)}
        apply = F.avg_pool2d if "count_include_pad" in more else F.max_pool2d
        self.blocks.append(lambda x: apply(x, k, stride, pad, **more))

        def size(n):
            places = (math.ceil if ceil else math.floor)((n + 2 * pad - k) / stride) + 1
            return places - (ceil and (places - 1) * stride >= n + pad)
        self.h, self.w = size(self.h), size(self.w)

    def branches(self):
        a, first, _ = self.conv(self.c, (self.h, self.w), same=True)
        b, second, _ = self.conv(self.c, (self.h, self.w), kernel=1, same=True)
        own = self.chance(0.4)
        self.blocks.append(lambda x: torch.cat([a(x), b(x), x] if own else [a(x), b(x)], 1))
        self.c = first + second + self.c * own

    def resize(self):
        if self.h > 14:
            return
        more = self.pick([{"mode": "nearest"}, {"mode": "bilinear", "align_corners": False}, {"mode": "bilinear", "align_corners": True}])
        self.blocks.append(lambda x: F.interpolate(x, scale_factor=2.0, **more))
        self.h, self.w = 2 * self.h, 2 * self.w

    def transposed(self):
        if self.h > 14:
            return
        out, k, stride, pad = self.pick([4, 6]), self.pick([2, 3, 4]), self.pick([1, 2]), self.pick([0, 1])
        conv, act = self.part(nn.ConvTranspose2d(self.c, out, k, stride, pad)), self.activation(out)
        self.blocks.append(lambda x: act(conv(x)))
        self.c, self.h, self.w = out, *[(n - 1) * stride - 2 * pad + k for n in (self.h, self.w)]

    def moved(self):
        kind = self.pick(["shuffle", "pad", "chunk", "permute", "scalar"])
        if kind == "shuffle" and self.c % 2 == 0:
            self.blocks.append(self.part(nn.ChannelShuffle(2)))
        elif kind == "pad":
            left, right, top, bottom = [self.random.randint(0, 2) for _ in range(4)]
            mode = self.pick(["constant", "reflect", "replicate"])
            self.blocks.append(lambda x: F.pad(x, [left, right, top, bottom], mode=mode))
            self.h, self.w = self.h + top + bottom, self.w + left + right
        elif kind == "chunk" and self.c % 2 == 0:
            self.blocks.append(lambda x: torch.cat([torch.chunk(x, 2, 1)[1], torch.chunk(x, 2, 1)[0]], 1))
        elif kind == "permute":
            self.blocks.append(lambda x: x.permute(0, 1, 3, 2))
            self.h, self.w = self.w, self.h
        elif kind == "scalar":
            self.blocks.append(self.pick([lambda x: x + 0.5, lambda x: x * 1.7, lambda x: x * 0.3]))

    def norm(self):
        self.blocks.append(self.part(self.pick([
            lambda: nn.InstanceNorm2d(self.c, affine=True), lambda: nn.GroupNorm(1, self.c), lambda: nn.LayerNorm([self.c, self.h, self.w])])()))

    def end(self):
        kind = self.pick(["pool", "flat", "mean", "rows", "none"])
        if kind == "rows":
            linear, norm = self.part(nn.Linear(self.c, 8)), self.part(nn.LayerNorm(8))
            self.blocks.append(lambda x: norm(linear(torch.flatten(x, 2).transpose(1, 2))))
        elif kind in ("pool", "mean") or (kind == "flat" and self.c * self.h * self.w < 5000):
            self.blocks.append({"pool": lambda x: torch.flatten(F.adaptive_avg_pool2d(x, 1), 1), "mean": lambda x: x.mean([2, 3]),
                                "flat": lambda x: torch.flatten(x, 1)}[kind])
            features, out = self.c * (self.h * self.w if kind == "flat" else 1), self.pick([5, 10])
            linear, act = self.part(nn.Linear(features, out, self.chance(0.8))), self.part(self.pick([nn.ReLU, nn.Hardswish, nn.Tanh])())
            self.blocks.append(lambda x: act(linear(x)))


def by_fx(net, engine):
    torch.backends.quantized.engine = engine
    whole = any(isinstance(part, nn.ConvTranspose2d) for part in net.parts)  # per-channel observers refuse those
    if whole or net.chance(0.3):
        activations = net.pick([Q.MinMaxObserver, Q.HistogramObserver]).with_args(dtype=torch.quint8, reduce_range=net.chance(0.5))
        mapping = Q.QConfigMapping().set_global(Q.QConfig(activation=activations, weight=Q.default_weight_observer))
    else:
        mapping = Q.get_default_qconfig_mapping(engine)
    return prepare_fx(net, mapping, torch.randn(4, *net.shape)), convert_fx


def by_pt2e(net, _):
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86
    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config(reduce_range=net.chance(0.5)))
    return prepare_pt2e(torch.export.export(net, (torch.randn(3, *net.shape),)).module(), quantizer), convert_pt2e


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=20)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("qdiff_export", EXPORTER)
    exporter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(exporter)
    for flow in (by_fx, by_pt2e):
        for seed in range(options.each):
            net = Net(1000 * options.seed + seed)
            with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
                prepared, convert = flow(net, net.pick(ENGINES))
                for _ in range(3):
                    prepared(torch.randn(3, *net.shape))
                try:
                    exporter.export(convert(prepared), torch.randn(3, *net.shape) * net.pick([1, 1.4]), options.out / f"{flow.__name__}-{options.seed}-{seed}")
                except exporter.ExportError as error:
                    if "ran no quantized op" not in str(error):  # a quantizer may find nothing to quantize
                        raise
    (options.out / "runtime.json").write_text(json.dumps({"version": torch.__version__}))


if __name__ == "__main__":
    main()
