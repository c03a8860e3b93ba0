"""Networks of random weights, quantized by FX; exports each to OUT/NAME-ENGINE and prints, as JSON, what it did.

    python networks.py OUT [ENGINE...]
    python networks.py OUT pt2e          by convert_pt2e and each quantizer that is there
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
import torch.ao.nn.quantized.dynamic as nnqd  # noqa: E402
import torch.ao.quantization as Q  # noqa: E402
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx  # noqa: E402

ENGINES = ("fbgemm", "x86", "onednn", "qnnpack")


def conv(channels, out, kernel=3, stride=1, groups=1, activation=nn.ReLU):
    layers = [nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([activation()] if activation else []))


class Residual(nn.Module):
    """Skip connections; one block runs twice."""

    def __init__(self):
        super().__init__()
        self.stem, self.a, self.b = conv(3, 8), conv(8, 8), conv(8, 8, activation=None)
        self.down, self.pool, self.fc = conv(8, 12, 1, 2), nn.MaxPool2d(2), nn.Linear(12, 5)

    def forward(self, x):
        x = self.pool(self.stem(x))
        for _ in range(2):
            x = F.relu(x + self.b(self.a(x)))
        return self.fc(F.adaptive_avg_pool2d(self.down(x), 1).flatten(1))


class Inverted(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.expand = conv(3, 6, 3, 2, activation=nn.ReLU6), conv(6, 18, 1, activation=nn.ReLU6)
        self.depthwise, self.project = conv(18, 18, 3, 1, 18, nn.ReLU6), conv(18, 6, 1, activation=None)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.project(self.depthwise(self.expand(x)))
        return self.fc(x.mean([2, 3]))


class Squeeze(nn.Module):
    """Hardswish, and squeeze and excite."""

    def __init__(self):
        super().__init__()
        self.stem, self.depthwise = conv(3, 8, activation=nn.Hardswish), conv(8, 8, 3, 1, 8, nn.Hardswish)
        self.squeeze, self.excite = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
        self.gate, self.out, self.fc = nn.Hardsigmoid(), conv(8, 8, 1, activation=None), nn.Linear(8, 3)

    def forward(self, x):
        x = self.depthwise(self.stem(x))
        x = x * self.gate(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1)))))
        return self.fc(self.out(x).mean([-2, -1]))


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.three, self.five = conv(3, 4, 1), conv(3, 6), nn.Sequential(conv(3, 4, 1), conv(4, 5, 5))
        self.pool, self.after, self.down, self.fc = nn.AvgPool2d(3, 1, 1), conv(3, 3, 1), nn.AvgPool2d(2), nn.Linear(18 * 16, 4)

    def forward(self, x):
        x = torch.cat([self.one(x), self.three(x), self.five(x), self.after(self.pool(x))], 1)
        return self.fc(self.down(x).flatten(1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = conv(3, 6), conv(6, 8), conv(8, 8)
        self.up2, self.up1, self.head = conv(16, 6), conv(12, 6), nn.Conv2d(6, 2, 1)

    def forward(self, x):
        one = self.down1(x)
        two = self.down2(F.max_pool2d(one, 2))
        low = self.middle(F.max_pool2d(two, 2))
        x = self.up2(torch.cat([F.interpolate(low, scale_factor=2, mode="nearest"), two], 1))
        x = self.up1(torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), one], 1))
        return self.head(x)


class Audio(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv1d(4, 8, 5, 2, 2, padding_mode="reflect"), nn.Conv1d(8, 8, 3, 1, 2, dilation=2, groups=8), nn.Conv1d(8, 12, 1)
        self.pool, self.fc = nn.MaxPool1d(2), nn.Linear(12, 5)

    def forward(self, x):
        x = self.pool(F.relu(self.a(x)))
        return self.fc(F.relu(self.c(F.relu(self.b(x)))).mean(2))


class Curves(nn.Module):
    """Sigmoid, tanh, leaky ReLU, and a gate."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 6, 1)
        self.leaky, self.fc = nn.LeakyReLU(0.1), nn.Linear(6 * 64, 4)

    def forward(self, x):
        x = self.leaky(self.a(x))
        return self.fc((torch.tanh(self.b(x)) * torch.sigmoid(self.c(x))).flatten(1))


class Shortcuts(nn.Module):
    """What torch.compile fuses into a convolution: SiLU, hardtanh, a second value; not the convolution's own input (e)."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.d, self.e, self.f, self.fc = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 4, 1), nn.Linear(4, 3)
        self.g = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        x = F.silu(self.a(x))
        x = F.relu(self.b(F.relu(self.d(x))) + x)
        x = x + self.c(F.hardtanh(self.g(x), -1, 2))
        return self.fc(F.silu(self.f(F.relu(self.e(x) + x))).mean((2, 3)))


class Parts(nn.Module):
    """Values cut along an axis: chunk, split, select, unbind."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.fc = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(4, 4, 1), nn.Conv2d(3, 5, 1), nn.Linear(8, 4)

    def forward(self, x):
        one, two = torch.chunk(self.a(x), 2, 1)
        three, five = torch.split(torch.cat([one, self.b(two)], 1), [3, 5], 1)
        y = torch.cat([self.c(three) + five, three], 1)
        rows = torch.unbind(y, 2)
        y = rows[0] + rows[3] * y.select(2, -1)
        return self.fc(y[:, :, 5])


class Written(nn.Module):
    """Values that are changed in place, functions that PyTorch takes apart, and numbers beside codes."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.fc = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1), nn.Linear(8, 4)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.a(x)
        y = self.b(x)
        y += x
        x = self.relu(y)
        x = self.c(x * x.mean((2, 3), keepdim=True).expand_as(x)) * 1.5 + 0.25
        x = torch.concat([x.narrow(1, 0, 3).clip(-1, 1), x.movedim(1, 3).movedim(3, 1)[:, 3:]], 1)
        return self.fc(x.mean((2, 3)).view_as(x[..., 0, 0]))


class Merged(nn.Module):
    """Samples beside another axis: every place a row, heads and windows a batch, time first in torch's own attention; a table of places
    that is computed from constants."""

    def __init__(self):
        super().__init__()
        self.a, self.rows, self.qkv, self.out = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 12), nn.Linear(12, 36), nn.Linear(12, 8)
        self.norm, self.attention, self.fc = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 4)
        self.places = nn.Linear(2, 8)
        self.register_buffer("table", torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0)))

    def forward(self, x):
        x = self.a(x).permute(0, 2, 3, 1)
        batch, height, width, channels = x.shape
        x = F.relu(self.rows(x.reshape(-1, channels))).view(batch, 4, 2, 4, 2, 12)
        x = x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, 4, 12)
        heads = lambda t: t.view(-1, 4, 3, 4).transpose(1, 2).contiguous().view(-1, 4, 4)
        x = self.qkv(x)
        q, k, v = (heads(x[..., start:start + 12]) for start in (0, 12, 24))
        x = torch.bmm(F.softmax(torch.bmm(q, k.transpose(1, 2)), -1), v).view(-1, 3, 4, 4).transpose(1, 2).reshape(-1, 4, 12)
        x = self.norm(self.out(x)).view(batch, 16, 4, 8).mean(2) + self.places(self.table)
        return self.fc((x + self.attention(x, x, x, need_weights=False)[0]).mean(1))


NETWORKS = {"residual": Residual, "inverted": Inverted, "squeeze": Squeeze, "inception": Inception, "unet": UNet, "audio": Audio,
            "curves": Curves, "parts": Parts, "written": Written, "merged": Merged}
FUSED = {"shortcuts": Shortcuts}


def inputs(name, samples):
    shape = (samples, 4, 40) if name == "audio" else (samples, 3, 8, 8)
    return torch.randn(shape, generator=torch.Generator().manual_seed(samples))


def quantized(name, engine):
    torch.manual_seed(3)
    torch.backends.quantized.engine = engine
    model = NETWORKS[name]().train()
    model(inputs(name, 32))  # statistics of the norms
    prepared = prepare_fx(model.eval(), Q.get_default_qconfig_mapping(engine), (inputs(name, 2),))
    prepared(inputs(name, 64))
    return convert_fx(prepared)


def exported(name, quantizer):
    """As a graph of convert_pt2e."""
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    torch.manual_seed(3)
    model = {**NETWORKS, **FUSED}[name]().train()
    model(inputs(name, 32))
    prepared = prepare_pt2e(torch.export.export(model.eval(), (inputs(name, 6),)).module(), quantizer)
    for seed in range(4):
        prepared(torch.randn(inputs(name, 6).shape, generator=torch.Generator().manual_seed(seed)))
    return convert_pt2e(prepared)


def quantizers():
    try:
        from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86
        from torchao.testing.pt2e._xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
    except ImportError:
        return {}
    return {"inductor": lambda: x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config()),
            "xnnpack": lambda: XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))}


def pt2e(out):
    done = {}
    for quantizer, make in quantizers().items():
        for name in NETWORKS:
            if (name, quantizer) == ("residual", "inductor"):
                continue  # torchao refuses a block that runs twice
            try:
                qdiff_export.export(exported(name, make()), inputs(name, 6), Path(out) / f"{name}-{quantizer}")
                done[f"{name}-{quantizer}"] = None
            except Exception:
                done[f"{name}-{quantizer}"] = traceback.format_exc()
    for name in ("inverted", "squeeze", "curves", "shortcuts") if done else ():
        try:
            qdiff_export.export(exported(name, quantizers()["inductor"]()), inputs(name, 6), Path(out) / f"{name}-lowered", lowered=True)
            done[f"{name}-lowered"] = None
        except Exception:
            done[f"{name}-lowered"] = traceback.format_exc()
    return done


class Dynamic(nn.Module):
    """Convolutions that quantize their own images: torch has no workflow that makes them, only the modules."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nnqd.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"), nnqd.Conv2d(8, 8, 3, groups=8)
        self.c, self.d = nnqd.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=0), nnqd.Conv1d(8, 4, 5, 2, 2)
        generator = torch.Generator().manual_seed(15)
        for module in (self.a, self.b, self.c, self.d):
            shape = module.weight().shape
            weight = torch.randn(shape, generator=generator)
            packed = torch.quantize_per_tensor(weight, float(weight.abs().max()) / 127, 0, torch.qint8)
            module.set_weight_bias(packed, torch.randn(module.out_channels, generator=generator))

    def forward(self, x):
        x = F.pad(F.relu(self.a(x)), (1, 1, 1, 1), mode="circular")
        x = F.pad(self.c(self.b(x, reduce_range=False), reduce_range=False), (2, 1, 0, 1), mode="replicate")
        return self.d(x.flatten(2), reduce_range=False)


def dynamic(engine):
    torch.backends.quantized.engine = engine
    return Dynamic().eval()


def main(out, engines):
    if engines == ["pt2e"]:
        return print(json.dumps(pt2e(out)))
    done = {}
    for engine in engines or ENGINES:
        if engine not in torch.backends.quantized.supported_engines:
            continue
        for name in NETWORKS:
            try:
                qdiff_export.export(quantized(name, engine), inputs(name, 6), Path(out) / f"{name}-{engine}")
                done[f"{name}-{engine}"] = None
            except Exception:
                done[f"{name}-{engine}"] = traceback.format_exc()
        qdiff_export.export(dynamic(engine), list(inputs("dynamic", 6).split(2)), Path(out) / f"dynamic-{engine}")
        done[f"dynamic-{engine}"] = None
    print(json.dumps(done))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
