"""int8 layers as OpenVINO's CPU plugin computes them: OUT/SEED/model.json and capture.npz.

    python openvino_layers.py OUT COUNT

A FakeQuantize before and after a MatMul of int8 weights is what its converters make; the plugin runs that in integers. Inputs lie on
the grid of their scale, so their codes are known; outputs are read back as codes.
"""

import json
import os
import sys

import numpy as np
import openvino as ov
from openvino import opset13 as ops

f32 = np.float32


def fake_quantize(x, scale, zero_point):
    low, high = f32((0 - zero_point) * scale), f32((255 - zero_point) * scale)
    return ops.fake_quantize(x, low, high, low, high, 256)


def layer(random, out):
    k, n, samples = int(random.choice([4, 16, 48, 130])), int(random.choice([3, 16, 40])), 96
    x_scale, y_zero = f32(random.uniform(0.005, 0.05)), int(random.choice([0, 100, 128]))
    x_zero, relu = int(random.choice([0, 60, 128])), bool(random.integers(2))
    per_channel = bool(random.integers(2))
    w_scale = random.uniform(0.002, 0.02, n if per_channel else 1).astype(f32)
    w = np.clip(np.rint(random.normal(0, 45, (n, k))), -127, 127).astype(np.int8)
    codes = random.integers(0, 256, (samples, k))
    real = (codes - x_zero) @ w.T.astype(np.int64) * (x_scale * np.broadcast_to(w_scale, n))
    bias = (random.normal(0, 0.2, n) * np.abs(real).max()).astype(f32)
    y_scale = f32(np.abs(real).max() * random.uniform(0.6, 1.1) / 128)

    x = ops.parameter([samples, k], f32, name="x")
    weight = ops.multiply(ops.convert(ops.constant(w), "f32"), ops.constant(w_scale.reshape(-1, 1)))
    y = ops.matmul(fake_quantize(x, x_scale, x_zero), weight, False, True)
    y = ops.add(y, ops.constant(bias.reshape(1, -1)))
    y = fake_quantize(ops.relu(y) if relu else y, y_scale, y_zero)
    compiled = ov.Core().compile_model(ov.Model([y], [x]), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    types = [op.get_rt_info()["runtimePrecision"].astype(str) for op in compiled.get_runtime_model().get_ops()
             if op.get_rt_info()["layerType"].astype(str) in ("MatMul", "FullyConnected")]
    result = compiled([((codes - x_zero) * x_scale).astype(f32)])[0]
    found = np.rint(result / y_scale) + y_zero

    os.makedirs(out)
    quantized = {"dtype": "uint8", "scale": float(y_scale), "zero_point": y_zero}
    model = {
        "format": "qdiff-model",
        "version": 1,
        "producer": {"framework": "openvino", "framework_version": ov.__version__, "arch": "x86_64"},
        "inputs": [{"name": "x", "dtype": "uint8", "scale": float(x_scale), "zero_point": x_zero}],
        "layers": [{
            "name": "fc", "op": "linear", "input": "x", "weight": w.tolist(), "weight_dtype": "int8",
            "weight_scale": [float(s) for s in w_scale] if per_channel else float(w_scale[0]),
            "bias": [float(b) for b in bias], "bias_dtype": "float32",
            "activation": "relu" if relu else "none", "output": quantized,
        }],
    }
    with open(os.path.join(out, "model.json"), "w") as file:
        json.dump(model, file)
    np.savez(os.path.join(out, "capture.npz"), x=codes.astype(np.uint8), fc=found.astype(np.uint8))
    return types


if __name__ == "__main__":
    folder, count = sys.argv[1], int(sys.argv[2])
    precisions = {str(seed): layer(np.random.default_rng(seed), os.path.join(folder, str(seed))) for seed in range(count)}
    with open(os.path.join(folder, "runtime.json"), "w") as file:
        json.dump({"version": ov.__version__, "precisions": precisions}, file)
