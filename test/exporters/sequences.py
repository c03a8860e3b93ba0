"""Networks on sequences: tables of codes, LSTM, GRU and cells (dynamic, static), attention; exports each to OUT/NAME and prints what it did.

    python sequences.py OUT [ENGINE]
"""
import json
import sys
import traceback
import warnings
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src" / "exporters" / "pytorch"))
import qdiff_export  # noqa: E402
import torch.ao.quantization as Q  # noqa: E402


class Recurrent(nn.Module):
    """Two layers, both directions, time first in between, cells."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru = nn.LSTM(6, 8, num_layers=2, batch_first=True), nn.GRU(8, 7, bidirectional=True)
        self.cell, self.gated, self.plain, self.fc = nn.LSTMCell(14, 4), nn.GRUCell(4, 4), nn.RNNCell(4, 3), nn.Linear(3, 2)

    def forward(self, x):
        y, _ = self.lstm(x)
        y, _ = self.gru(y.transpose(0, 1))
        h, _ = self.cell(y[-1])
        return self.fc(self.plain(self.gated(h)))


class Given(nn.Module):
    """A hidden state that is not zero."""

    def __init__(self):
        super().__init__()
        self.lstm, self.fc = nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 2)

    def forward(self, x):
        h = torch.full((1, len(x), 8), 0.3)
        return self.fc(self.lstm(x, (h, h))[0])


class TimeFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.fc = nn.LSTM(6, 8), nn.Linear(8, 2)

    def forward(self, x):
        return self.fc(self.lstm(x)[0])


class Static(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = Q.QuantStub(), Q.DeQuantStub()
        self.lstm, self.fc = nn.LSTM(6, 8, batch_first=True, bidirectional=True, num_layers=2), nn.Linear(16, 2)

    def forward(self, x):
        return self.dequant(self.fc(self.lstm(self.quant(x))[0]))


class Text(nn.Module):
    """Attention between tables of codes and a head."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(30, 16), nn.Embedding(8, 16)
        self.norm, self.qkv, self.out = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)
        self.up, self.down, self.head = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(16, 5)

    def forward(self, tokens):
        x = self.words(tokens) + self.places(torch.arange(tokens.shape[1]))
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        x = x + self.out(F.softmax(q @ k.transpose(1, 2) * 0.25, -1) @ v)
        return self.head((x + self.down(F.gelu(self.up(x)))).mean(1))


class Bags(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.bag, self.fc = nn.Embedding(10, 8), nn.EmbeddingBag(12, 8, mode="sum", include_last_offset=True), nn.Linear(16, 4)

    def forward(self, word, members, ends):
        return self.fc(torch.cat([self.one(word), self.bag(members, ends)], 1))


class Floats(nn.Module):
    """What a script computes itself on floats beside two linears: an RMSNorm, reductions, powers, GLU, log_softmax, other sizes."""

    def __init__(self):
        super().__init__()
        self.into, self.out = nn.Linear(6, 12), nn.Linear(12, 4)

    def forward(self, x):
        x = self.into(x)
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        x = torch.where(x > 0, x, x.masked_fill(x < -1, -1.0)) - 0.1 * x.cumsum(1) + x.std(-1, keepdim=True) * x.var((1, 2), keepdim=True)
        x = x + torch.logsumexp(x, -1, keepdim=True) * x.prod(1, keepdim=True)
        x = (1 - x.amax(-1, keepdim=True)) * torch.square(x) + x.amin((-2, -1), keepdim=True)
        x = x.roll(-2, 1) + x[:, :1].expand(-1, 5, -1) * x.swapaxes(1, 2)[:, :1].repeat(1, 5, 3)[..., :12]
        x = x.max(-1, keepdim=True).values / (1 / (1 + x.abs()) + x.abs().sum(-1, keepdim=True))
        x = self.out(x.exp().log() + x.abs().sum(1, keepdim=True) + x.min(1, keepdim=True).values + torch.zeros(12))
        x = F.normalize(torch.stack([x, x.roll((1, 2), (1, 2))[..., [1, 0, 3, 2]]], 2).amax(2) ** 2.0 + x.abs() ** 0.5, dim=-1)
        x = F.interpolate(F.interpolate(x, size=7, mode="linear"), size=4)
        return F.log_softmax(F.glu(x, -1), -1)


class Masked(nn.Module):
    """Attention with masks: booleans, floats, of padding, by numbers of one's own, of all that is behind; between an embedding and a head."""

    def __init__(self):
        super().__init__()
        self.words, self.norm, self.qkv, self.head = nn.Embedding(30, 16), nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 5)
        self.many = nn.MultiheadAttention(16, 2, batch_first=True)
        self.register_buffer("seen", (torch.arange(64).view(8, 8) % 3 > 0) | torch.eye(8).bool())
        self.register_buffer("near", -0.3 * (torch.arange(8)[:, None] - torch.arange(8)).abs())

    def forward(self, tokens):
        x = self.words(tokens)
        q, k, v = (part.view(-1, 8, 2, 8).transpose(1, 2) for part in self.qkv(self.norm(x)).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=self.seen)
        y = y + F.scaled_dot_product_attention(q, k, v, attn_mask=self.near, scale=0.5)
        y = y + F.scaled_dot_product_attention(q, k, v, attn_mask=(tokens > 2)[:, None, None])
        y = y + F.scaled_dot_product_attention(q, k, v, attn_mask=self.near.masked_fill(~self.seen, float("-inf")))
        x = x + y.transpose(1, 2).reshape(-1, 8, 16)
        x = x + self.many(x, x, x, attn_mask=~self.seen, need_weights=False)[0] + self.many(x, x, x, key_padding_mask=tokens < 3, need_weights=False)[0]
        return self.head(x)


class Between(nn.Module):
    """What is left in floats between two linears: recurrent layers and norms of their own."""

    def __init__(self):
        super().__init__()
        self.into, self.gru, self.cell, self.norm, self.out = nn.Linear(6, 8), nn.GRU(8, 7, batch_first=True), nn.GRUCell(7, 7), nn.InstanceNorm1d(5, affine=True), nn.Linear(7, 3)

    def forward(self, x):
        return self.out(self.cell(self.gru(self.norm(self.into(x)))[0][:, -1]))


class Bounds(nn.Module):
    """A bound that is a tensor is no number of model.json: such a layer is said, and others go on, with infinities too."""

    def __init__(self):
        super().__init__()
        self.into, self.out = nn.Linear(6, 5), nn.Linear(5, 4)

    def forward(self, x):
        x = torch.clamp(self.into(x), torch.tensor(-0.5), torch.tensor(0.5))
        hidden = torch.triu(torch.full((5, 5), float("-inf")), 1)
        return self.out(F.softmax(x + hidden, -1))


class Copied(nn.Module):
    """Sums that are ties half of the time, of what was copied into another order: body and tail of vectors round them apart."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant, self.sum, self.again = Q.QuantStub(), Q.DeQuantStub(), nn.quantized.FloatFunctional(), nn.quantized.FloatFunctional()

    def forward(self, x):
        x = self.quant(x)
        y, z = x.permute(0, 2, 1).contiguous(), x[:, 1:].clone()
        return self.dequant(self.sum.add(y, y)), self.dequant(self.again.add(z, z))


def copied(x, engine):
    model = static(Copied(), x, engine)
    model.quant.zero_point = torch.tensor([127])
    for function in (model.sum, model.again):
        function.scale, function.zero_point = 4 * float(model.quant.scale), 127
    return model


DYNAMIC = {nn.Linear, nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell, nn.RNNCell}


def dynamic(net, kinds=DYNAMIC):
    for module in net.eval().modules():
        if isinstance(module, nn.Embedding):
            module.qconfig = Q.float_qparams_weight_only_qconfig
        if isinstance(module, nn.EmbeddingBag):
            module.qconfig = Q.float_qparams_weight_only_qconfig_4bit
    return Q.quantize_dynamic(Q.convert(Q.prepare(net)), kinds)


def static(net, x, engine):
    net.eval().qconfig = Q.get_default_qconfig(engine)
    prepared = Q.prepare(net)
    prepared(x)
    return Q.convert(prepared)


def main(out, engine="x86"):
    torch.backends.quantized.engine = engine
    torch.manual_seed(0)
    x = torch.randn(4, 5, 6)
    bags = (torch.tensor([3, 1, 9]), torch.tensor([0, 11, 4, 4, 7]), torch.tensor([0, 2, 2, 5]))
    made = {"recurrent": lambda: (dynamic(Recurrent()), x), "given": lambda: (dynamic(Given()), x),
            "time-first": lambda: (dynamic(TimeFirst()), x.transpose(0, 1).contiguous()),
            "static": lambda: (static(Static(), torch.randn(9, 5, 6), engine), x), "bags": lambda: (dynamic(Bags()), bags),
            "text": lambda: (dynamic(Text()), torch.arange(24).view(3, 8)), "floats": lambda: (dynamic(Floats()), x),
            "masked": lambda: (dynamic(Masked()), torch.arange(24).view(3, 8) * 7 % 30), "between": lambda: (dynamic(Between(), {nn.Linear}), x),
            "bounds": lambda: (dynamic(Bounds()), x), "copied": lambda: (copied(x, engine), torch.randn(4, 5, 6))}
    done = {}
    for name, make in made.items():
        try:
            qdiff_export.export(*make(), Path(out) / name)
            done[name] = None
        except Exception:
            done[name] = traceback.format_exc()
    print(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
