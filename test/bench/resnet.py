"""A ResNet-18 by PyTorch's FX quantization with random weights, 224x224.

    resnet.py write FOLDER IMAGES EXPORTER   model.json and capture.npz, by the exporter in that folder
    resnet.py forward FOLDER          prints {"seconds": of PyTorch's own int8 forward, the best of three}
    resnet.py forward-avx2 FOLDER     the same as on a CPU without AVX512
    resnet.py im2col FOLDER           the same network in numpy, int32; prints {"seconds", "max_rss", "mismatched"}
"""
import json
import os
import resource
import sys
import time

import numpy as np

mode, folder = sys.argv[1:3]
if mode == "forward-avx2":  # read when torch is imported
    os.environ.update(FBGEMM_ENABLE_INSTRUCTIONS="AVX2", ONEDNN_MAX_CPU_ISA="AVX2", ATEN_CPU_CAPABILITY="avx2")


def network():
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, before, channels, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(channels)
            self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(channels)
            self.relu = nn.ReLU()
            self.down = None
            if stride > 1 or before != channels:
                self.down = nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

        def forward(self, x):
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(y + (x if self.down is None else self.down(x)))

    torch.manual_seed(1)
    blocks = [
        Block(before, channels, stride)
        for before, channels, stride in
        [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]
    ]
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


def images(count):
    import torch

    torch.manual_seed(2)
    return torch.randn(count, 3, 224, 224)


def write(count):
    import torch
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    sys.path.insert(0, sys.argv[4])
    import qdiff_export

    torch.backends.quantized.engine = "fbgemm"
    x = images(count)
    prepared = prepare_fx(network().eval(), get_default_qconfig_mapping("fbgemm"), (x[:1],))
    with torch.no_grad():
        prepared(x[:4])
    model = convert_fx(prepared)
    qdiff_export.export(model, x, folder)


def forward():
    import warnings

    import torch
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)  # threads that wait for one another spin: of two on a busy machine 0.29 s of the CPU for 0.10 of work
    torch.backends.quantized.engine = "fbgemm"
    x = images(json.load(open(f"{folder}/images.json")))
    prepared = prepare_fx(network().eval(), get_default_qconfig_mapping("fbgemm"), (x[:1],))
    with torch.no_grad():
        prepared(x[:4])
        model = convert_fx(prepared)
        taken = []
        for _ in range(4):
            started = time.process_time()
            model(x)
            taken.append(time.process_time() - started)
    return {"seconds": min(taken[1:])}


def codes_of(real, layer):
    """np.rint of float32 steps; the zero point after it, as in PyTorch's vectors."""
    output = layer["output"]
    low = output["zero_point"] if layer.get("activation") == "relu" else 0
    steps = np.rint(real / np.float32(output["scale"])) + output["zero_point"]
    return np.clip(steps, low, 255).astype(np.uint8)


def patches(x, size, stride, padding, fill):
    """[N, C, H, W] to [N, OH, OW, C, kh, kw], a view."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))
    return view[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)


def product(layer, x, params, arrays):
    """im2col, int32 matmul, requantization."""
    weight = arrays[layer["weight"]["array"]]
    scale = np.float32(params["scale"]) * arrays[layer["weight_scale"]["array"]].astype(np.float32)
    bias = arrays[layer["bias"]["array"]]
    if layer["op"] == "conv2d":
        rows = patches(x, weight.shape[2], layer["stride"][0], layer["padding"][0], params["zero_point"])
        places = rows.shape[:3]
        x = rows.reshape(-1, weight[0].size)
    acc = (x.astype(np.int32) - np.int32(params["zero_point"])) @ weight.reshape(len(weight), -1).astype(np.int32).T
    codes = codes_of((acc.astype(np.float32) + bias / scale) * scale, layer)
    return codes.reshape(*places, -1).transpose(0, 3, 1, 2) if layer["op"] == "conv2d" else codes


def other(layer, inputs, params):
    """Sums and pools."""
    if layer["op"] == "add":
        reals = [np.float32(p["scale"]) * (x.astype(np.int32) - p["zero_point"]).astype(np.float32)
                 for x, p in zip(inputs, params)]
        return codes_of(reals[0] + reals[1], layer)
    [x] = inputs
    if layer["op"] == "max_pool2d":
        return patches(x, layer["kernel_size"][0], layer["stride"][0], layer["padding"][0], 0).max((4, 5)).transpose(0, 3, 1, 2)
    return np.rint(x.astype(np.int32).mean((2, 3), keepdims=True, dtype=np.float32)).astype(np.uint8)


def in_numpy():
    model = json.load(open(f"{folder}/model.json"))
    arrays, capture = np.load(f"{folder}/model.npz"), np.load(f"{folder}/capture.npz")
    params = {layer["name"]: layer.get("output") for layer in model["layers"]}
    started, mismatched = time.process_time(), 0
    for layer in model["layers"]:
        names = layer["input"] if isinstance(layer["input"], list) else [layer["input"]]
        if layer["op"] in ("quantize", "dequantize", "flatten"):
            continue
        inputs, expected = [capture[name] for name in names], capture[layer["name"]]
        if layer["op"] in ("conv2d", "linear"):
            actual = product(layer, inputs[0], params[names[0]], arrays)
        else:
            actual = other(layer, inputs, [params[name] for name in names])
        mismatched += int(np.count_nonzero(actual != expected))
    max_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": time.process_time() - started, "max_rss": max_rss, "mismatched": mismatched}


if mode == "write":
    count = int(sys.argv[3])
    json.dump(count, open(f"{folder}/images.json", "w"))
    write(count)
elif mode.startswith("forward"):
    print(json.dumps(forward()))
else:
    print(json.dumps(in_numpy()))
