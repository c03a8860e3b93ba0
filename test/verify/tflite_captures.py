"""Captures every model of a folder under TFLite's runtimes, with the exporter that qdiff prints.

    python test/verify/tflite_captures.py MODELS OUT [--kernels reference,builtin,xnnpack,tflm]

Reads MODELS/NAME/{model.tflite,inputs.npz} (tflite_models.py), writes OUT/KERNEL/NAME/{model.tflite,capture.npz} and OUT/runtime.json.
A model that a runtime refuses is left out there, and listed.
"""
import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[2] / "src" / "exporters" / "tflite"))
import numpy as np  # noqa: E402
import qdiff_tflite as exporter  # noqa: E402

KERNELS = {"reference": "tflite-reference", "builtin": "tflite-builtin", "xnnpack": "xnnpack", "tflm": "tflm"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kernels", default=",".join(KERNELS))
    options = parser.parse_args()
    package, version, _ = exporter._package()  # imported once: TensorFlow takes seconds
    refused = []
    for source in sorted(options.models.iterdir()):
        inputs = dict(np.load(source / "inputs.npz").items())
        for kernel in options.kernels.split(","):
            if "on-micro" in source.name and kernel != "tflm":  # its types are Micro's alone
                continue
            if "by-LiteRT" in source.name and kernel == "tflm":  # Micro dequantizes a constant by its first scale alone
                continue
            why = apart((source / "model.tflite").read_bytes(), inputs, options.out / KERNELS[kernel] / source.name, kernel)
            if why:
                refused.append({"model": source.name, "kernel": KERNELS[kernel], "message": why})
    about = {"package": package, "version": version, "micro": micro_version(), "refused": refused}
    (options.out / "runtime.json").write_text(json.dumps(about, indent=1))


def apart(data, inputs, folder, kernel):
    """In a process of its own, since Micro checks little and may end it; the message where the model is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(data)
    child = os.fork()
    if child == 0:
        os._exit(captured(folder, inputs, kernel))
    _, status = os.waitpid(child, 0)
    if status == 0:
        return None
    note = folder / "refused.txt"
    message = note.read_text() if note.exists() else f"ended by signal {status}"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    return message


def captured(folder, inputs, kernel):
    """The exit code."""
    try:
        exporter.capture(folder / "model.tflite", inputs, folder / "capture.npz", kernel=kernel)
        return 0
    except Exception as error:  # noqa: BLE001
        (folder / "refused.txt").write_text(" ".join(str(error).split())[:300])
        return 1


def micro_version():
    try:
        return exporter.importlib.metadata.version("tflite_micro")
    except exporter.importlib.metadata.PackageNotFoundError:
        return None


main()
