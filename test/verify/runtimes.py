"""Captures from the real runtimes: the layers of test/golden/layers.py, run by PyTorch, ONNX Runtime, LiteRT or numpy.

    python test/verify/runtimes.py {torch,ort,litert,numpy} --out DIR [--size 1] [--seed 1] [--prefix NAME]

Writes DIR/KERNEL/FAMILY/{model.json,model.npz,capture.npz,expected.json} for the kernel that this CPU and environment
select, and DIR/runtime.json: name, version, CPU, environment. qdiff then replays them: see runtimes.verify.ts.
"""
import argparse
import json
import os
import platform
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
sys.dont_write_bytecode = True
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
from layers import (BATCHES, CALLS, NP, OTHER_FAMILIES, RANGE, TORCH_FAMILIES, Fixture, any_layer, calls_family, dynamic_calls,  # noqa: E402
                    dynamic_family, dynamic_near_ties, f32, float_bias_family, int8_family, other_family, pointwise_family, rng_for, torch_family)

from torch_convolutions import convolutions, dynamic_convolutions, fused_convolutions  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("runtime")
parser.add_argument("--out", required=True)
parser.add_argument("--size", type=float, default=1)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--only", default="", help="convolutions: of PyTorch, nothing else")
parser.add_argument("--flags", default="", help="CPU flags of an emulated CPU, in place of this machine's")
args = parser.parse_args()
OUT = Path(args.out)


def cpu_flags():
    if args.flags:
        return set(args.flags.split(","))
    try:
        return set(next(line for line in open("/proc/cpuinfo") if line.startswith("flags")).split())
    except (OSError, StopIteration):
        return set()


FLAGS = cpu_flags()


def fixture_of(kernel, family):
    return Fixture(OUT / kernel / family, kernel)


def finish(runtime, version, **more):
    (OUT / "runtime.json").write_text(json.dumps({"runtime": runtime, "version": version, "machine": platform.machine(), **more}))


# ---------------------------------------------------------------- PyTorch
def run_torch():
    import torch
    env = os.environ.get
    fbgemm_isa, onednn_isa = env("FBGEMM_ENABLE_INSTRUCTIONS", ""), env("ONEDNN_MAX_CPU_ISA", "")
    vnni = "avx512_vnni" in FLAGS
    fbgemm = "fbgemm" if vnni and fbgemm_isa not in ("AVX2", "AVX512") else "fbgemm-avx2"
    level = ("onednn-sse41" if onednn_isa in ("SSE41", "AVX") or "avx2" not in FLAGS
             else "onednn-avx2" if onednn_isa == "AVX2" or "avx512bw" not in FLAGS
             else "onednn-avx512" if onednn_isa == "AVX512_CORE" or not vnni
             else "onednn-amx" if "amx_int8" in FLAGS and onednn_isa in ("", "DEFAULT", "AVX512_CORE_AMX") else "onednn")
    if args.only == "convolutions":
        torch_convolutions(torch, fbgemm, level)
        return finish("PyTorch", torch.__version__)
    torch_engine(torch, "fbgemm", fbgemm)
    torch_engine(torch, "x86", "fbgemm-vnni" if fbgemm == "fbgemm" else fbgemm)
    torch_engine(torch, "qnnpack", "qnnpack")
    torch_engine(torch, "onednn", level)
    torch_int8(torch, level)
    if level in ("onednn", "onednn-amx", "onednn-avx2"):
        torch_pointwise_op(torch, level.replace("onednn", "onednn-pointwise"))
    torch_float_output(torch, fbgemm)
    torch_pointwise(torch, fbgemm)
    torch_pt2e(torch)
    torch_convolutions(torch, fbgemm, level)
    finish("PyTorch", torch.__version__)


def torch_convolutions(torch, fbgemm, level):
    """FBGEMM's depthwise and direct code saturates on every CPU; its groupwise code, and which code runs, ask the CPU alone."""
    vnni, avx512 = "avx512_vnni" in FLAGS, "avx512bw" in FLAGS
    narrow = {"depthwise", "direct"}

    def of_fbgemm(path):
        if fbgemm == "fbgemm":
            return ["fbgemm-vnni"] if path in narrow else ["fbgemm", "fbgemm-vnni"]
        return ["fbgemm-vnni"] if path == "groupwise" and vnni else ["fbgemm-avx2"]

    def run(engine, kernel_of, producer={}):
        convolutions(torch, torch_weight, fixture_of, engine, kernel_of, args.seed, args.size, avx512, producer)
        if engine != "pointwise":
            dynamic_convolutions(torch, torch_weight, fixture_of, engine, kernel_of, args.seed, avx512, producer)
        if engine in ("onednn", "pointwise"):
            fused_convolutions(torch, torch_weight, fixture_of, engine, kernel_of, args.seed, avx512, producer)

    # on AMX the order of the scales is either, by blocking and threads: read as files without a kernel's name are
    cpu = {"kernel": None, "avx512_vnni": True, "amx_int8": True} if level == "onednn-amx" else {}
    run("fbgemm", of_fbgemm)
    run("qnnpack", lambda _: ["qnnpack"])
    run("onednn", lambda _: [level], cpu and {**cpu, "engine": "onednn"})
    if level in ("onednn", "onednn-amx", "onednn-avx2"):
        pointwise = level.replace("onednn", "onednn-pointwise")
        run("pointwise", lambda _: [pointwise], cpu and {**cpu, "flow": "pt2e-lowered"})


def torch_weight(torch, w, zw, sw):
    w = torch.from_numpy(np.ascontiguousarray(w))
    if np.ndim(sw):
        zero_points = torch.from_numpy(np.broadcast_to(np.asarray(zw, np.int64), len(w)).copy())
        return torch._make_per_channel_quantized_tensor(w, torch.from_numpy(np.asarray(sw, np.float64)), zero_points, 0)
    return torch._make_per_tensor_quantized_tensor(w, float(sw), int(zw))


def packed(torch, w, zw, sw, b):
    return torch.ops.quantized.linear_prepack(torch_weight(torch, w, zw, sw), None if b is None else torch.from_numpy(b))


def torch_static(torch, x, zx, sx, w, zw, sw, b, sy, zy, relu):
    op = torch.ops.quantized.linear_relu if relu else torch.ops.quantized.linear
    q = torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), sx, zx)
    return op(q, packed(torch, w, zw, sw, b), sy, zy).int_repr().numpy()


def torch_engine(torch, engine, kernel):
    torch.backends.quantized.engine = engine
    zero_points = engine != "onednn"
    for family in TORCH_FAMILIES:
        fixture = fixture_of(kernel, f"{engine}-{family}")
        for tag, L in torch_family(family, rng_for(args.seed, "torch", engine, family), zero_points, args.size):
            x, zx, sx, w, zw, sw, b, sy, zy, relu = L
            fixture.linear(tag, x, ("uint8", sx, zx), w, sw, zw, b, relu, ("uint8", sy, zy), torch_static(torch, *L))
        fixture.write({"family": family})

    def dynamic(layer, batches):
        x, w, zw, sw, b, relu, reduce_range = layer
        op = torch.ops.quantized.linear_relu_dynamic if relu else torch.ops.quantized.linear_dynamic
        weight = packed(torch, w, zw, sw, b)
        parts = [op(torch.from_numpy(part), weight, reduce_range).numpy() for part in np.split(x, np.cumsum(batches)[:-1])]
        fixture.linear("dynamic", x, ("float32",), w, sw, zw, b, relu, ("float32",), np.concatenate(parts), op="linear_dynamic",
                       reduce_range=reduce_range)

    fixture = fixture_of(kernel, f"{engine}-dynamic")
    fixture.batches(BATCHES)
    for layer in dynamic_family(rng_for(args.seed, engine, "dynamic"), zero_points, args.size):
        dynamic(layer, BATCHES)
    fixture.write({"family": "dynamic"})

    def choose(low, high, reduce_range):
        return torch._choose_qparams_per_tensor(torch.tensor([low, high]), reduce_range)

    fixture = fixture_of(kernel, f"{engine}-dynamic-near-ties")
    for layer in dynamic_near_ties(rng_for(args.seed, engine, "dynamic-ties"), choose, engine == "qnnpack", args.size):
        dynamic(layer, [1])
    fixture.write({"family": "dynamic"})


    if engine != "onednn":
        return
    fixture = fixture_of(kernel, "dynamic-calls")
    fixture.batches(CALLS)
    for layer in dynamic_calls(rng_for(args.seed, engine, "dynamic-calls"), args.size):
        dynamic(layer, CALLS)
    fixture.write({"family": "dynamic"})


def in_calls(run, x, *rest):
    """One result of several calls."""
    return np.concatenate([run(part, *rest) for part in np.split(x, np.cumsum(CALLS)[:-1])])


def torch_int8(torch, kernel):
    torch.backends.quantized.engine = "onednn"
    for family in ("int8", "int8-near-ties"):
        fixture = fixture_of(kernel, family)
        for tag, L in int8_family(family, rng_for(args.seed, "torch", family), args.size):
            x, zx, sx, w, zw, sw, b, sy, zy, relu = L
            fixture.linear(tag, x, ("int8", sx, zx), w, sw, zw, b, relu, ("int8", sy, zy), torch_static(torch, *L))
        fixture.write({"family": "int8"})
    for dtype in ("uint8", "int8"):
        fixture = fixture_of(kernel, f"calls-{dtype}")
        fixture.batches(CALLS)
        for x, *rest in calls_family(rng_for(args.seed, "torch", "calls", dtype), dtype, args.size):
            zx, sx, w, zw, sw, b, sy, zy, relu = rest
            y = in_calls(lambda *L: torch_static(torch, *L), x, *rest)
            fixture.linear("calls", x, (dtype, sx, zx), w, sw, zw, b, relu, (dtype, sy, zy), y)
        fixture.write({"family": "calls"})


def torch_pointwise_op(torch, kernel):
    """onednn::qlinear_pointwise, what PT2E models are lowered to."""
    def run(L, dtype, float_output):
        x, zx, sx, w, zw, sw, b, sy, zy, relu = L
        scales = np.full(len(w), sw, f32) if np.ndim(sw) == 0 else np.asarray(sw, f32)
        kind = torch.float32 if float_output else getattr(torch, dtype)
        weight = torch.ops.onednn.qlinear_prepack(torch.from_numpy(np.ascontiguousarray(w)), None)
        return torch.ops.onednn.qlinear_pointwise(
            torch.from_numpy(x), sx, zx, weight, torch.from_numpy(scales), torch.zeros(len(w), dtype=torch.long),
            None if b is None else torch.from_numpy(b), 1.0 if float_output else sy, 0 if float_output else zy, kind,
            "relu" if relu else "none", [], "").numpy()

    families = [(family, "uint8", torch_family(family, rng_for(args.seed, "pointwise", family), False, args.size)) for family in TORCH_FAMILIES]
    families += [(family, "int8", int8_family(family, rng_for(args.seed, "pointwise", family), args.size)) for family in ("int8", "int8-near-ties")]
    for family, dtype, layers in families:
        fixture = fixture_of(kernel, family)
        for tag, L in layers:
            x, zx, sx, w, zw, sw, b, sy, zy, relu = L
            fixture.linear(tag, x, (dtype, sx, zx), w, sw, zw, b, relu, (dtype, sy, zy), run(L, dtype, False))
        fixture.write({"family": family})
    for dtype, is_float in (("uint8", False), ("int8", False), ("uint8", True), ("int8", True)):
        fixture = fixture_of(kernel, f"calls-{dtype}-float" if is_float else f"calls-{dtype}")
        fixture.batches(CALLS)
        for x, *rest in calls_family(rng_for(args.seed, "pointwise", "calls", dtype), dtype, args.size):
            zx, sx, w, zw, sw, b, sy, zy, relu = rest
            y = in_calls(lambda *L: run(L, dtype, is_float), x, *rest)
            fixture.linear("calls", x, (dtype, sx, zx), w, sw, zw, b, relu, ("float32",) if is_float else (dtype, sy, zy), y)
        fixture.write({"family": "calls"})
    rng = rng_for(args.seed, "pointwise", "float-output")
    fixture = fixture_of(kernel, "float-output")
    for _ in range(int(30 * args.size)):
        L = any_layer(rng, False, 5, int(rng.integers(1, 140)), 24)
        x, zx, sx, w, zw, sw, b, sy, zy, relu = L
        fixture.linear("float", x, ("uint8", sx, zx), w, sw, zw, b, relu, ("float32",), run(L, "uint8", True))
    fixture.write({"family": "float-output"})


def torch_float_output(torch, kernel):
    torch.backends.quantized.engine = "fbgemm"
    rng = rng_for(args.seed, "torch", "float-output")
    fixture = fixture_of(kernel, "float-output")
    for _ in range(int(30 * args.size)):
        x, zx, sx, w, zw, sw, b, sy, zy, relu = any_layer(rng, True, 5, int(rng.integers(1, 140)), 24)
        name = "linear_with_input_q_dq_qweight_dq_" + ("relu_" if relu else "") + "output_fp32"
        reals = torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), sx, zx).dequantize()
        y = getattr(torch.ops.quantized, name)(reals, sx, zx, packed(torch, w, zw, sw, b)).numpy()
        fixture.linear("float", x, ("uint8", sx, zx), w, sw, zw, b, relu, ("float32",), y)
    fixture.write({"family": "float-output"})


def torch_pointwise(torch, kernel):
    fixture = fixture_of(kernel, "pointwise")
    make = torch._make_per_tensor_quantized_tensor
    dtypes = {"uint8": torch.quint8, "int8": torch.qint8}
    for dtype, s, zp, reals, q, six, six_zp, every in pointwise_family(rng_for(args.seed, "torch", "pointwise"), list(dtypes), args.size):
        y = torch.quantize_per_tensor(torch.from_numpy(reals), s, zp, dtypes[dtype]).int_repr().numpy()
        fixture.pointwise("quantize", reals, ("float32",), (dtype, s, zp), y)
        quantized = make(torch.from_numpy(q), s, zp)
        fixture.pointwise("dequantize", q, (dtype, s, zp), ("float32",), quantized.dequantize().numpy())
        fixture.pointwise("relu", q, (dtype, s, zp), (dtype, s, zp), torch.relu(quantized).int_repr().numpy())
        y = torch.ops.quantized.relu6(make(torch.from_numpy(every), six, six_zp)).int_repr().numpy()
        fixture.pointwise("relu6", every, (dtype, six, six_zp), (dtype, six, six_zp), y)
    fixture.write({"family": "pointwise"})


def torch_pt2e(torch):
    import torch.ao.quantization.fx._decomposed  # noqa: F401, registers quantized_decomposed
    ops = torch.ops.quantized_decomposed
    kinds = {"uint8": torch.uint8, "int8": torch.int8}

    def quantize(v, s, zp, dtype):
        return ops.quantize_per_tensor(v, s, zp, *RANGE[dtype], kinds[dtype])

    def dequantize(q, s, zp, dtype):
        return ops.dequantize_per_tensor(torch.from_numpy(q), s, zp, *RANGE[dtype], kinds[dtype])

    fixture = fixture_of("pt2e-reference", "pointwise")
    for dtype, s, zp, reals, q, six, six_zp, every in pointwise_family(rng_for(args.seed, "pt2e", "pointwise"), list(kinds), args.size):
        fixture.pointwise("quantize", reals, ("float32",), (dtype, s, zp), quantize(torch.from_numpy(reals), s, zp, dtype).numpy())
        fixture.pointwise("dequantize", q, (dtype, s, zp), ("float32",), dequantize(q, s, zp, dtype).numpy())
        clipped = torch.nn.functional.hardtanh(dequantize(every, six, six_zp, dtype), 0., 6.)
        fixture.pointwise("relu6", every, (dtype, six, six_zp), (dtype, six, six_zp), quantize(clipped, six, six_zp, dtype).numpy())
    fixture.write({"family": "pointwise"}, flow="pt2e-reference")

    fixture = fixture_of("pt2e-reference", "linear")
    rng = rng_for(args.seed, "pt2e", "linear")
    for i in range(int(60 * args.size)):
        K = int(rng.integers(1, 500))
        x, zx, sx, w, _, _, _, _, zy, relu = any_layer(rng, False, 24, K, 40)
        sw, b = rng.uniform(.001, .02, 40).astype(f32), rng.standard_normal(40).astype(f32)
        wf = ops.dequantize_per_channel(torch.from_numpy(w), torch.from_numpy(sw), torch.zeros(40, dtype=torch.long), 0, -127, 127, torch.int8)
        v = torch.nn.functional.linear(dequantize(x, sx, zx, "uint8"), wf, torch.from_numpy(b))
        v = torch.relu(v) if relu else v
        sy = float(v.std() * .02 + 1e-6)
        params = ("float32",) if i % 5 == 4 else ("uint8", sy, zy)
        y = v.numpy() if i % 5 == 4 else quantize(v, sy, zy, "uint8").numpy()
        fixture.linear("linear", x, ("uint8", sx, zx), w, sw.astype(np.float64), 0, b, relu, params, y)
    fixture.write({"family": "linear"}, flow="pt2e-reference")


# ---------------------------------------------------------------- ONNX Runtime
def run_ort():
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    kinds = {"uint8": TensorProto.UINT8, "int8": TensorProto.INT8, "float32": TensorProto.FLOAT}

    def session(nodes, x_dtype, x_shape, y_dtype, constants):
        inputs = [helper.make_tensor_value_info("x", kinds[x_dtype], x_shape)]
        outputs = [helper.make_tensor_value_info("y", kinds[y_dtype], None)]
        held = [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constants.items()]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(helper.make_graph([helper.make_node(*n[:3], **(n[3] if len(n) > 3 else {})) for n in nodes], "g", inputs, outputs, held),
                                  opset_imports=opsets)
        model.ir_version = 8
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(nodes, x, x_dtype, y_dtype, constants):
        return session(nodes, x_dtype, list(x.shape), y_dtype, constants).run(None, {"x": x})[0]

    vnni = {"avx512_vnni", "avx_vnni"} & FLAGS
    saturating = "ort" if vnni or "avx2" not in FLAGS else "ort-avx2"

    def constants_of(dtype, L):
        x, zx, sx, w, zw, sw, bq, zy, sy = L
        zero_points = np.full(len(w), zw, np.int8) if np.ndim(sw) else np.array(zw, np.int8)
        held = {"xs": sx, "ws": sw, "ys": sy}
        return {**{k: np.asarray(v, f32) for k, v in held.items()}, "xz": np.array(zx, NP[dtype]), "yz": np.array(zy, NP[dtype]),
                "wz": zero_points, "w": w.T.astype(np.int8)}

    # uint8 x int8 saturates on AVX2; int8 x int8 operators do not
    for dtype, kernel in (("uint8", saturating), ("int8", "ort")):
        for family in OTHER_FAMILIES:
            fixture = fixture_of(kernel, f"{dtype}-{family}")
            for tag, _, L, _ in other_family(family, rng_for(args.seed, "ort", dtype, family), [dtype], False, args.size):
                x, zx, sx, w, zw, sw, bq, zy, sy = L
                held = constants_of(dtype, L)
                if bq is None:
                    nodes = [("QLinearMatMul", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"])]
                else:
                    held["b"] = bq
                    nodes = [("QGemm", ["x", "xs", "xz", "w", "ws", "wz", "b", "ys", "yz"], ["y"], {"domain": "com.microsoft"})]
                y = run(nodes, x, dtype, dtype, held)
                zeros = np.full(len(w), zw) if np.ndim(sw) else zw
                fixture.linear(tag, x, (dtype, sx, zx), w, sw, zeros, bq, False, (dtype, sy, zy), y)
            fixture.write({"family": family})

    fixture = fixture_of(saturating, "float-bias")  # a QDQ MatMul and Add with a float bias: rounded when the model is loaded
    for tag, dtype, L, b in float_bias_family(rng_for(args.seed, "ort", "float-bias"), ["uint8"], args.size):
        x, zx, sx, w, zw, sw, _, zy, sy = L
        axis = {"axis": 1} if np.ndim(sw) else {}
        nodes = [("DequantizeLinear", ["x", "xs", "xz"], ["xf"]), ("DequantizeLinear", ["w", "ws", "wz"], ["wf"], axis),
                 ("MatMul", ["xf", "wf"], ["v"]), ("Add", ["v", "b"], ["vb"]), ("QuantizeLinear", ["vb", "ys", "yz"], ["y"])]
        y = run(nodes, x, dtype, dtype, {**constants_of(dtype, L), "b": b})
        fixture.linear(tag, x, (dtype, sx, zx), w, sw, 0, b, False, (dtype, sy, zy), y)
    fixture.write({"family": "float-bias"})

    fixture = fixture_of(saturating, "dynamic")
    fixture.batches(BATCHES)
    for x, w, zw, sw, b, relu, _ in dynamic_family(rng_for(args.seed, "ort", "dynamic"), False, args.size):
        held = {"w": w.T.astype(np.int8), "ws": np.asarray(sw, f32), "wz": np.zeros(np.shape(sw), np.int8)}
        inputs = ["x", "w", "ws", "wz"] + ([] if b is None else ["b"])
        if b is not None:
            held["b"] = b
        nodes = [("DynamicQuantizeMatMul", inputs, ["y"], {"domain": "com.microsoft"})]
        parts = [run(nodes, part, "float32", "float32", held) for part in np.split(x, np.cumsum(BATCHES)[:-1])]
        y = np.concatenate(parts)
        y = np.maximum(y, f32(0)) if relu else y
        fixture.linear("dynamic", x, ("float32",), w, sw, 0, b, relu, ("float32",), y, op="linear_dynamic", reduce_range=False)
    fixture.write({"family": "dynamic"})

    fixture = fixture_of("ort", "pointwise")
    for dtype, s, zp, reals, q, six, six_zp, every in pointwise_family(rng_for(args.seed, "ort", "pointwise"), ["uint8", "int8"], args.size):
        held = lambda scale, zero_point: {"s": np.array(scale, f32), "z": np.array(zero_point, NP[dtype])}
        y = run([("QuantizeLinear", ["x", "s", "z"], ["y"])], reals, "float32", dtype, held(s, zp))
        fixture.pointwise("quantize", reals, ("float32",), (dtype, s, zp), y)
        y = run([("DequantizeLinear", ["x", "s", "z"], ["y"])], q, dtype, "float32", held(s, zp))
        fixture.pointwise("dequantize", q, (dtype, s, zp), ("float32",), y)
        clip = [("DequantizeLinear", ["x", "s", "z"], ["v"]), ("Clip", ["v", "zero", "six"], ["c"]), ("QuantizeLinear", ["c", "s", "z"], ["y"])]
        y = run(clip, every, dtype, dtype, {**held(six, six_zp), "zero": np.array(0, f32), "six": np.array(6, f32)})
        fixture.pointwise("relu6", every, (dtype, six, six_zp), (dtype, six, six_zp), y)
    fixture.write({"family": "pointwise"})
    finish("ONNX Runtime", onnxruntime.__version__)


# ---------------------------------------------------------------- LiteRT
def run_litert():
    from importlib.metadata import version as version_of

    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    version = version_of("ai-edge-litert")
    reference_is_fixed_point = tuple(int(v) for v in version.split(".")[:2]) < (1, 4)

    def tensor(name, shape, kind, buffer, scale=None, zero_point=0):
        t = schema.TensorT()
        t.name, t.shape, t.type, t.buffer = name, np.array(shape, np.int32), kind, buffer
        if scale is not None:
            t.quantization = schema.QuantizationParametersT()
            t.quantization.scale = np.atleast_1d(np.asarray(scale, f32))
            t.quantization.zeroPoint = np.full(len(t.quantization.scale), zero_point, np.int64)
        return t

    def model_of(op_code, op_version, options, options_kind, tensors, constants, inputs, outputs):
        model, graph, op, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorT(), schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = op_code, op_code, op_version
        op.opcodeIndex, op.inputs, op.outputs = 0, np.array(inputs, np.int32), np.array(outputs, np.int32)
        op.builtinOptions, op.builtinOptionsType = options, options_kind
        graph.name, graph.tensors, graph.operators = "main", tensors, [op]
        graph.inputs, graph.outputs = np.array([0], np.int32), np.array(outputs, np.int32)
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], []
        for data in [b"", *constants]:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data, np.uint8) if data else None
            model.buffers.append(buffer)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def fully_connected(L, relu):
        x, zx, sx, w, zw, sw, bq, zy, sy = L
        int8, int32 = schema.TensorType.INT8, schema.TensorType.INT32
        tensors = [tensor("x", x.shape, int8, 0, sx, zx), tensor("w", w.shape, int8, 1, sw, zw), tensor("y", [len(x), len(w)], int8, 0, sy, zy)]
        constants, inputs = [w.tobytes()], [0, 1, -1]
        if bq is not None:
            tensors.append(tensor("b", [len(w)], int32, 2, (f32(sx) * np.asarray(sw, f32)).astype(f32)))
            constants.append(bq.astype(np.int32).tobytes())
            inputs[2] = 3
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = schema.ActivationFunctionType.RELU if relu else 0
        options.quantizedBiasType = int32
        return model_of(schema.BuiltinOperator.FULLY_CONNECTED, 12 if np.ndim(sw) else 4, options,
                        schema.BuiltinOptions.FullyConnectedOptions, tensors, constants, inputs, [2])

    def quantize_model(shape, s, zp, dtype, dequantize):
        kind = getattr(schema.TensorType, dtype.upper())
        real, code = tensor("r", shape, schema.TensorType.FLOAT32, 0), tensor("q", shape, kind, 0, s, zp)
        op = schema.BuiltinOperator.DEQUANTIZE if dequantize else schema.BuiltinOperator.QUANTIZE
        options = schema.DequantizeOptionsT() if dequantize else schema.QuantizeOptionsT()
        options_kind = schema.BuiltinOptions.DequantizeOptions if dequantize else schema.BuiltinOptions.QuantizeOptions
        return model_of(op, 2, options, options_kind, [code, real] if dequantize else [real, code], [], [0], [1])

    def run(blob, resolver, x, output_index):
        interpreter = Interpreter(model_content=blob, experimental_op_resolver_type=resolver, num_threads=1)
        interpreter.allocate_tensors()
        interpreter.set_tensor(0, x)
        interpreter.invoke()
        return interpreter.get_tensor(output_index), any(d["op_name"] == "DELEGATE" for d in interpreter._get_ops_details())

    refused = set()
    avx = "avx" in FLAGS
    resolvers = {"tflite-double" if reference_is_fixed_point else "tflite-float64": OpResolverType.BUILTIN_REF,
                 "tflite-double-up" if avx else "tflite-single": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                 "xnnpack": OpResolverType.BUILTIN}
    for kernel, resolver in resolvers.items():
        for family in OTHER_FAMILIES:
            fixture = fixture_of(kernel, family)
            for tag, _, L, relu in other_family(family, rng_for(args.seed, "litert", family), ["int8"], True, args.size):
                x, zx, sx, w, zw, sw, bq, zy, sy = L
                matrix_vector = len(x) == 1 and w.shape[0] >= 4 and w.shape[1] >= 8
                if kernel == "tflite-single" and matrix_vector:
                    continue  # without AVX, batch 1 takes another kernel: tflite-double-up
                try:
                    y, delegated = run(fully_connected(L, relu), resolver, x, 2)
                except (RuntimeError, ValueError) as error:
                    refused.add(str(error).split("\n")[0][:100])  # 1.2 knows no per-channel weights
                    continue
                if delegated != (kernel == "xnnpack") or (delegated and zw):
                    continue  # XNNPACK leaves weight zero points to the built-in kernel, or (before 2.0) ignores them
                zeros = np.full(len(w), zw) if np.ndim(sw) else zw
                fixture.linear(tag, x, ("int8", sx, zx), w, sw, zeros, bq, relu, ("int8", sy, zy), y)
            fixture.write({"family": family})
        fixture = fixture_of(kernel, "pointwise")
        for dtype, s, zp, reals, q, *_ in pointwise_family(rng_for(args.seed, "litert", "pointwise"), ["int8", "uint8"], args.size):
            y, _ = run(quantize_model(reals.shape, s, zp, dtype, False), resolver, reals, 1)
            fixture.pointwise("quantize", reals, ("float32",), (dtype, s, zp), y)
            y, _ = run(quantize_model(q.shape, s, zp, dtype, True), resolver, q, 1)
            fixture.pointwise("dequantize", q, (dtype, s, zp), ("float32",), y)
        fixture.write({"family": "pointwise"})
    print(*(f"not run by LiteRT {version}: {reason}" for reason in refused), sep="\n")
    finish("LiteRT", version)


# ---------------------------------------------------------------- numpy scripts
def run_numpy():
    for kernel in ("numpy", "numpy-float32"):
        single = kernel == "numpy-float32"
        number = f32 if single else float

        def script(L, b, relu, dtype):
            x, zx, sx, w, zw, sw, bq, zy, sy = L
            s_x, s_y = number(sx), number(sy)
            s_w = np.asarray(sw, f32 if single else np.float64) if np.ndim(sw) else number(sw)
            acc = (x.astype(np.int32) - zx) @ (w.astype(np.int32) - zw).T
            if b is not None:
                acc = acc + np.round(b / (s_x * s_w)).astype(np.int32)
            elif bq is not None:
                acc = acc + bq
            acc = acc.astype(f32) if single else acc.astype(np.int32)
            y = np.clip(np.round(acc * ((s_x * s_w) / s_y)) + zy, *RANGE[dtype]).astype(NP[dtype])
            return np.maximum(y, zy).astype(NP[dtype]) if relu else y

        for family in OTHER_FAMILIES:
            fixture = fixture_of(kernel, family)
            for tag, dtype, L, relu in other_family(family, rng_for(args.seed, "numpy", family), ["uint8", "int8"], False, args.size):
                x, zx, sx, w, zw, sw, bq, zy, sy = L
                y = script(L, None, relu, dtype)
                fixture.linear(tag, x, (dtype, sx, zx), w, sw, np.full(len(w), zw) if np.ndim(sw) else zw, bq, relu, (dtype, sy, zy), y)
            fixture.write({"family": family})
        fixture = fixture_of(kernel, "float-bias")
        for tag, dtype, L, b in float_bias_family(rng_for(args.seed, "numpy", "float-bias"), ["uint8", "int8"], args.size):
            x, zx, sx, w, zw, sw, _, zy, sy = L
            double = b.astype(np.float64) if not single else b
            fixture.linear(tag, x, (dtype, sx, zx), w, sw, 0, b, False, (dtype, sy, zy), script(L, double, False, dtype))
        fixture.write({"family": "float-bias"})
    finish("numpy", np.__version__)


{"torch": run_torch, "ort": run_ort, "litert": run_litert, "numpy": run_numpy}[args.runtime]()
