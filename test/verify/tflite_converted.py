"""Networks as TensorFlow's converter leaves them, and inputs for them; needs tensorflow 2.21.

    python test/verify/tflite_converted.py DIR        DIR/NAME/{model.tflite,inputs.npz}, which tflite_captures.py takes

open-batch: a batch of -1, so that SHAPE, STRIDED_SLICE and PACK stand before RESHAPE and TRANSPOSE_CONV, and TILE doubles rows.
dilated: SPACE_TO_BATCH_ND around convolutions. lstm-int16x8: UNPACK, and FULLY_CONNECTED without a bias whose type the options say.
"""
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

L = tf.keras.layers


def open_batch():
    x = i = L.Input((12, 12, 2))
    x = L.Conv2D(6, 3, padding="same", activation="relu")(x)
    x = L.Conv2DTranspose(4, 2, strides=2, padding="same", activation="relu")(L.MaxPooling2D(2)(x))
    x = L.AveragePooling2D(4)(L.UpSampling2D(2)(L.AveragePooling2D(2)(x)))
    return tf.keras.Model(i, L.Dense(5)(L.Flatten()(x)))


def dilated():
    x = i = L.Input((24, 3))
    x = L.Conv1D(8, 3, dilation_rate=2, padding="causal", activation="relu")(x)
    x = L.GlobalAveragePooling1D()(L.Conv1D(8, 3, dilation_rate=4, padding="causal")(x))
    return tf.keras.Model(i, L.Dense(4)(x))


def lstm():
    i = L.Input((4, 6), batch_size=1)
    return tf.keras.Model(i, L.Dense(3)(L.LSTM(10, unroll=True)(i)))


for name, make, is_wide in (("open-batch", open_batch, False), ("dilated", dilated, False), ("lstm-int16x8", lstm, True)):
    tf.keras.utils.set_random_seed(17)
    rng = np.random.default_rng(17)
    model = make()
    shape = model.inputs[0].shape[1:]
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=(1, *shape)).astype("f")] for _ in range(40))
    if is_wide:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    folder = Path(sys.argv[1]) / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(converter.convert())
    np.savez(folder / "inputs.npz", in0=rng.normal(size=(4, *shape)).astype("f"))
