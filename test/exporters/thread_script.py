"""A training script as people write it: quantization-aware training, one saved module. The last two lines are qdiff's.

    python thread_script.py OUT      trains, saves OUT/trained_qat.pth, exports OUT/model.json and OUT/capture.npz
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from torch.ao.quantization import (
    DeQuantStub,
    FakeQuantize,
    MovingAverageMinMaxObserver,
    QConfig,
    QuantStub,
    convert,
    default_per_channel_weight_fake_quant,
    prepare_qat,
)

CLASSES = 3


class QuantizableFNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant = QuantStub()
        self.fc1 = nn.Linear(4, 16)
        self.relu1 = nn.ReLU()
        self.fc2 = nn.Linear(16, CLASSES)
        self.dequant = DeQuantStub()

    def forward(self, x):
        x = self.relu1(self.fc1(self.quant(x)))
        return self.dequant(self.fc2(x))


out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)

# Three clouds of 50 flowers each, standardized.
rng = np.random.default_rng(0)
y = np.repeat(np.arange(CLASSES), 50)
x = rng.normal(size=(CLASSES, 4))[y] * 2 + rng.normal(size=(150, 4))
x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)

torch.manual_seed(0)
model = QuantizableFNN()
model.qconfig = QConfig(
    activation=FakeQuantize.with_args(observer=MovingAverageMinMaxObserver, qscheme=torch.per_tensor_symmetric, reduce_range=False),
    weight=default_per_channel_weight_fake_quant,
)
prepare_qat(model, inplace=True)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(30):
    for rows in torch.randperm(150).split(16):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(torch.from_numpy(x[rows])), torch.from_numpy(y[rows]))
        loss.backward()
        optimizer.step()

model_int8 = convert(model.eval())
torch.save(model_int8, out / "trained_qat.pth")
np.save(out / "x.npy", x)

import qdiff_export
qdiff_export.export(model_int8, torch.from_numpy(x), out)
