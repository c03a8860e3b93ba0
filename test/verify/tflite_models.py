"""Writes every network of tflite_networks.py and its inputs.

    python test/verify/tflite_models.py DIR [--size 1] [--seed 1]        DIR/NAME/{model.tflite,inputs.npz}; needs ai-edge-litert
"""
import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.dont_write_bytecode = True
import numpy as np  # noqa: E402

import tflite_recurrent  # noqa: E402, F401  its networks are added to the others'
from tflite_networks import OUT, samples  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("out", type=Path)
parser.add_argument("--size", type=float, default=1)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()
for number, (name, make) in enumerate(OUT.items()):
    seed = 1000 * options.seed + number
    net = make(seed, 12)
    folder = options.out / name.replace(" ", "-").replace(",", "").replace(":", "")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(net.bytes())
    count = max(2, round((24 if "streaming" in name else 6) * options.size))
    np.savez(folder / "inputs.npz", **samples(net, count, seed))
