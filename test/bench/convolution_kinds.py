"""The convolutions of convolutionKinds.ts in numpy (im2col, int32) and as PyTorch's own layers: convolution_kinds.py LAYERS_JSON

Prints GMAC a CPU second of each, one thread.
"""
import json
import sys
import time

import numpy as np
import torch

torch.set_num_threads(1)
torch.backends.quantized.engine = "x86"


def rate(multiply_adds, run, rounds):
    run()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return multiply_adds / max(sorted(taken)[len(taken) // 2], 1e-9) / 1e9


def im2col(x, w, stride, groups):
    k = w.shape[2]
    pad = k // 2
    padded = np.pad(x.astype(np.int32) - 128, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (k, k), (2, 3))[:, :, ::stride, ::stride]
    n, c, h, wide = patches.shape[:4]
    rows = patches.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * wide, groups, -1)
    weights = w.astype(np.int32).reshape(groups, len(w) // groups, -1)
    return np.stack([rows[:, g] @ weights[g].T for g in range(groups)], 1)


def both(layer):
    c, size, out, k, stride, groups, n = (layer[key] for key in ("channels", "size", "outputs", "kernel", "stride", "groups", "samples"))
    rng = np.random.default_rng(1)
    x, w = rng.integers(0, 256, (n, c, size, size)).astype(np.uint8), rng.integers(-127, 128, (out, c // groups, k, k)).astype(np.int8)
    places = ((size + 2 * (k // 2) - k) // stride + 1) ** 2
    one = places * out * (c // groups) * k * k
    weight = torch._make_per_channel_quantized_tensor(torch.from_numpy(w), torch.full((out,), 1 / 1024, dtype=torch.double), torch.zeros(out, dtype=torch.long), 0)
    pad, ops = [k // 2] * 2, torch.ops.quantized
    packed = ops.conv2d_prepack(weight, torch.full((out,), 0.5), [stride] * 2, pad, [1, 1], groups)
    q = torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), 0.02, 128).contiguous(memory_format=torch.channels_last)
    return {"im2col": rate(one, lambda: im2col(x[:1], w, stride, groups), 1), "torch": rate(n * one, lambda: ops.conv2d(q, packed, 1.5, 128), 9)}


print(json.dumps([both(layer) for layer in json.loads(sys.argv[1])]))
