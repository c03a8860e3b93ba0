"""Networks of torchao's quantize_ with random sizes, values and settings, exported with their values.

    python torchao_layers.py OUT COUNT        OUT/0 ... OUT/COUNT-1
"""
import sys
import warnings
from pathlib import Path

import torch
import torch.nn as nn
from torchao.quantization import Int8DynamicActivationInt8WeightConfig, MappingType, PerRow, PerTensor, quantize_
from torchao.quantization.quant_api import Int8StaticActivationInt8WeightConfig

warnings.filterwarnings("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src" / "exporters" / "pytorch"))
import qdiff_export  # noqa: E402


def network(seed):
    torch.manual_seed(seed)
    pick = lambda *of: of[int(torch.randint(len(of), ()))]
    sizes = [int(torch.randint(2, pick(20, 300, 900), ())) for _ in range(5)]  # torchao fails on one feature
    spread = 10.0 ** (torch.rand(()) * 5 - 3)
    layers = []
    for before, after in zip(sizes, sizes[1:]):
        layer = nn.Linear(before, after, bias=bool(torch.randint(3, ())))
        mapping, grain, weights = pick(MappingType.SYMMETRIC, MappingType.ASYMMETRIC), pick(PerRow(), PerTensor()), pick(PerRow(), PerTensor())
        reduce_range = not torch.randint(3, ())
        if torch.randint(3, ()):
            config = Int8DynamicActivationInt8WeightConfig(act_mapping_type=mapping, granularity=[grain, weights], reduce_range=reduce_range)
        else:
            zero_point = torch.randint(-60, 60, (1, 1), dtype=torch.int8) if mapping == MappingType.ASYMMETRIC else None
            config = Int8StaticActivationInt8WeightConfig(act_quant_scale=torch.rand(1, 1) * spread / 20 + 1e-6, act_quant_zero_point=zero_point,
                                                          granularity=[PerTensor(), weights], act_mapping_type=mapping, reduce_range=reduce_range)
        quantize_(layer, config)
        layers += [layer, pick(nn.Identity(), nn.ReLU())]
    return nn.Sequential(*layers).eval(), [torch.randn(rows, sizes[0]) * spread for rows in (1, 7, 20)]


for seed in range(int(sys.argv[2])):
    qdiff_export.export(*network(seed), Path(sys.argv[1]) / str(seed))
