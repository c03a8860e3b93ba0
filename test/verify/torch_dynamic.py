"""quantize_dynamic of random MLPs on every engine of PyTorch: python torch_dynamic.py SETTING COUNT FOLDER.

A folder a network and engine: model.json, capture.npz of a call with reduce_range (as quantize_dynamic makes it), and full.npz of its
first layer without.
"""
import copy, os, sys, warnings
warnings.filterwarnings("ignore")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "exporters", "pytorch"))
import numpy as np
import torch
import torch.nn as nn
import qdiff_export

setting, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ENGINES = [e for e in ("fbgemm", "qnnpack", "onednn", "x86") if e in torch.backends.quantized.supported_engines]

for seed in range(count):
    torch.manual_seed(seed)
    random = np.random.RandomState(seed)
    k, h, n = int(random.randint(2, 90)), int(random.randint(2, 60)), int(random.randint(1, 30))
    rows = int(random.choice([1, 2, 8, 40, 200]))
    model = nn.Sequential(nn.Linear(k, h, bias=bool(random.rand() < 0.8)), nn.ReLU(), nn.Linear(h, n)).eval()
    x = torch.randn(rows, k) * float(random.choice([0.01, 1, 30])) + float(random.choice([0, 0, 2]))
    spec = {nn.Linear: torch.ao.quantization.per_channel_dynamic_qconfig} if seed % 3 == 0 else {nn.Linear}
    for engine in ENGINES:
        torch.backends.quantized.engine = engine
        quantized = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model), spec)
        out = os.path.join(folder, f"{setting}-{seed}-{engine}")
        qdiff_export.export(quantized, x, out)
        with torch.no_grad():
            y = torch.ops.quantized.linear_dynamic(x, quantized[0]._packed_params._packed_params, False)
        np.savez(os.path.join(out, "full.npz"), **{"input": x.numpy(), "0": y.numpy()})
