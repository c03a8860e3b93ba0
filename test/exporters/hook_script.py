"""The hook of a user who wants one layer's integers, saved with np.savez: python hook_script.py OUT, after thread_script.py."""
import sys
from pathlib import Path

import numpy as np
import qdiff_export
import torch

out = Path(sys.argv[1])
qdiff_export._import_definitions(str(Path(__file__).with_name("thread_script.py")))
model_int8 = torch.load(out / "trained_qat.pth", map_location="cpu", weights_only=False)

capture = {}


def dump_first_layer(mod, inp, output):
    weight = mod.weight()
    capture.update(
        x_int8=inp[0].int_repr(), s_x=inp[0].q_scale(), zp_x=inp[0].q_zero_point(),
        w_int8=weight.int_repr(), s_w=weight.q_per_channel_scales(), zp_w=weight.q_per_channel_zero_points(),
        bias_fp32=mod.bias().clone().detach(),
        y_int8=output.int_repr(), s_y=output.q_scale(), zp_y=output.q_zero_point(),
    )


hook = model_int8.fc1.register_forward_hook(dump_first_layer)
model_int8(torch.from_numpy(np.load(out / "x.npy")))
hook.remove()
np.savez(out / "hook.npz", **capture)
