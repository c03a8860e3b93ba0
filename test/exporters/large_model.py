"""25 million weights: python large_model.py OUT."""
import sys

import models
import qdiff_export
import torch
import torch.ao.quantization as Q
import torch.nn as nn

WIDTH = 2048
body = [nn.Linear(WIDTH, WIDTH) for _ in range(6)]
model = nn.Sequential(Q.QuantStub(), *body, Q.DeQuantStub()).eval()
model.qconfig = Q.QConfig(activation=Q.HistogramObserver.with_args(reduce_range=True), weight=Q.default_per_channel_weight_observer)
prepared = Q.prepare(model)
inputs = torch.rand(16, WIDTH, generator=torch.Generator().manual_seed(0))
prepared(inputs)
qdiff_export.export(Q.convert(prepared), inputs, sys.argv[1])
