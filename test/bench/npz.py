"""npz.py write FOLDER BYTES: stored.npz and deflated.npz of int8 arrays; npz.py read FILE: prints the CPU seconds numpy.load takes."""
import sys
import time

import numpy as np

if sys.argv[1] == "write":
    folder, size = sys.argv[2], int(sys.argv[3])
    random = np.random.default_rng(1)
    one = 16 << 20
    arrays = {f"layer{i}": np.clip(random.normal(0, 24, one), -128, 127).astype(np.int8) for i in range(size // one)}
    np.savez(f"{folder}/stored.npz", **arrays)
    np.savez_compressed(f"{folder}/deflated.npz", **arrays)
else:
    started = time.process_time()
    with np.load(sys.argv[2]) as file:
        total = sum(int(file[name][-1]) for name in file.files)
    print(time.process_time() - started)
