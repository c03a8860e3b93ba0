"""What a user would write: one layer's matmul, requantization, comparison and statistics in numpy, or PyTorch's own layer.

    script.py int32|float64|fbgemm FOLDER     prints {"seconds": of the layer alone, "max_rss": bytes}
"""
import json
import resource
import sys
import time

import numpy as np

mode, folder = sys.argv[1:]
model = json.load(open(f"{folder}/model.json"))
layer = model["layers"][0]
scale_x, zero_x = model["inputs"][0]["scale"], model["inputs"][0]["zero_point"]
scale_y, zero_y = layer["output"]["scale"], layer["output"]["zero_point"]
arrays = np.load(f"{folder}/model.npz")
weight, scale_w, bias = arrays["weight"], arrays["scale"], arrays["bias"]
capture = np.load(f"{folder}/capture.npz")
x, expected = capture["x"], capture["fc"]


def in_numpy(dtype):
    acc = (x.astype(dtype) - dtype(zero_x)) @ weight.astype(dtype).T
    scale = np.float32(scale_x) * scale_w.astype(np.float32)
    steps = (acc.astype(np.float32) + bias / scale) * (scale / np.float32(scale_y))
    return np.clip(np.rint(steps) + zero_y, 0, 255).astype(np.uint8)


def in_torch():
    import torch

    torch.backends.quantized.engine = "fbgemm"
    w = torch.quantize_per_channel(
        torch.from_numpy(weight).float() * torch.from_numpy(scale_w).float()[:, None],
        torch.from_numpy(scale_w), torch.zeros(len(scale_w), dtype=torch.int64), 0, torch.qint8)
    packed = torch.ops.quantized.linear_prepack(w, torch.from_numpy(bias))
    codes = torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), scale_x, zero_x)
    torch.ops.quantized.linear(codes, packed, scale_y, zero_y)
    started = time.perf_counter()
    torch.ops.quantized.linear(codes, packed, scale_y, zero_y)
    return time.perf_counter() - started


if mode == "fbgemm":
    seconds = in_torch()
else:
    started = time.perf_counter()
    actual = in_numpy({"int32": np.int32, "float64": np.float64}[mode])
    seconds = time.perf_counter() - started
    diff = actual.astype(np.int16) - expected
    mismatched = np.count_nonzero(diff, axis=0)
    histogram = np.bincount(np.abs(diff).ravel())
    assert mismatched.sum() == 0, f"{mismatched.sum()} values differ, at most by {len(histogram) - 1}"
print(json.dumps({"seconds": seconds, "max_rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
