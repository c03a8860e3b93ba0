"""Networks as TensorFlow's converter leaves them, and inputs for them; needs tensorflow 2.21, and tf_keras 2.21 for lstm-int8.

    python test/verify/tflite_converted.py DIR        DIR/NAME/{model.tflite,inputs.npz}, which tflite_captures.py takes

open-batch: a batch of -1, so that SHAPE, STRIDED_SLICE and PACK stand before RESHAPE and TRANSPOSE_CONV, and TILE doubles rows.
pixels: MIRROR_PAD, PRELU, DEPTH_TO_SPACE, PACK, slices that walk backwards, SPACE_TO_DEPTH. functions: what is computed of one code or two.
dilated: SPACE_TO_BATCH_ND around convolutions. lstm-int16x8: UNPACK, and FULLY_CONNECTED without a bias whose type the options say.
lstm-int8: two UNIDIRECTIONAL_SEQUENCE_LSTM, which the converter makes of Keras 2 alone (TF_USE_LEGACY_KERAS).
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


def fused_lstm():
    import tf_keras
    rows = tf_keras.layers
    i = tf_keras.Input((5, 3), batch_size=1)
    x = rows.LSTM(7)(rows.LSTM(8, return_sequences=True)(i))
    return tf_keras.Model(i, rows.Dense(3)(x))


class Of(L.Layer):
    """A function of TensorFlow's as a layer."""

    def __init__(self, apply):
        super().__init__()
        self.apply_to = apply

    def call(self, x):
        return self.apply_to(x)


def pixels():
    x = i = L.Input((6, 6, 3), batch_size=1)
    x = Of(lambda x: tf.pad(x, [[0, 0], [1, 1], [2, 1], [0, 0]], "REFLECT"))(x)
    x = L.PReLU(alpha_initializer=tf.keras.initializers.RandomUniform(-0.3, 0.5))(L.Conv2D(8, 3)(x))
    x = Of(lambda x: tf.nn.depth_to_space(x, 2))(x)
    x = L.Conv2D(4, 3, padding="same")(x)
    ends = Of(lambda x: tf.pad(x[:, 9:2:-3, ::2], [[0, 0], [0, 2], [1, 0], [0, 0]], "SYMMETRIC"))(x)
    packed = Of(lambda x: tf.stack([x, x[:, :, ::-1]], axis=3))(x)
    deep = Of(lambda x: tf.nn.space_to_depth(x, 2))(x)
    return tf.keras.Model(i, [ends, packed, deep])


def functions(is_wide=False):
    """Of int16 codes the converter has no SQRT, L2_NORMALIZATION and ARG_MAX, and LiteRT no SQUARED_DIFFERENCE."""
    rng = np.random.default_rng(17)
    first, second, third = (tf.constant(rng.normal(size=(6, 24)).astype("f") * 0.4) for _ in range(3))

    @tf.function(input_signature=[tf.TensorSpec([1, 6])])
    def run(x):
        a, b = x @ first, x @ second
        apart = a * a if is_wide else tf.math.squared_difference(a, b)
        codes = [tf.maximum(a, b), tf.minimum(a, b * 0.5), tf.math.rsqrt(apart + 0.1), tf.abs(a), tf.exp(a * 0.5), tf.math.log(apart + 0.3),
                 tf.nn.gelu(x @ third, approximate=True)]
        return codes if is_wide else [*codes, tf.sqrt(apart), tf.nn.l2_normalize(b, 1), tf.argmax(a + 1.0, 1, output_type=tf.int32)]

    return run


for name, make, is_wide in (("open-batch", open_batch, False), ("dilated", dilated, False), ("lstm-int16x8", lstm, True), ("pixels", pixels, False),
                            ("functions", functions, False), ("functions-int16x8", lambda: functions(True), True),
                            ("lstm-int8", fused_lstm, False)):
    tf.keras.utils.set_random_seed(17)
    rng = np.random.default_rng(17)
    model = make()
    is_keras = hasattr(model, "inputs")
    shape = model.inputs[0].shape[1:] if is_keras else [6]
    read = tf.lite.TFLiteConverter
    converter = read.from_keras_model(model) if is_keras else read.from_concrete_functions([model.get_concrete_function()], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=(1, *shape)).astype("f")] for _ in range(40))
    if is_wide:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    folder = Path(sys.argv[1]) / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(converter.convert())
    np.savez(folder / "inputs.npz", in0=rng.normal(size=(12 if name == "lstm-int8" else 4, *shape)).astype("f"))
