"""LSTMs on integers as a converter writes them, and with the parts that it does not write: CIFG, peephole, projection, normalization."""
import numpy as np

from tflite_file import Net, f32
from tflite_layers import dense
from tflite_networks import done, network

TANH = 4


def codes(net, shape, dtype, scale, spread, bound):
    data = np.clip(np.rint(net.rng.normal(0, spread, shape)), -bound, bound).astype(np.int64)
    return net.tensor(shape, dtype, scale, 0, data)


def scale(net, low, high):
    return float(f32(np.exp(net.rng.uniform(np.log(low), np.log(high)))))


def lstm(net, x, cells, *, coupled=False, peephole=False, outputs=None, norm=False, time_major=False, inputs=24):
    """Scales are drawn so wide that some layers saturate their gates, and others hardly move."""
    first, second, steps = net.shapes[x]
    batch, projected = (second if time_major else first), outputs is not None
    n = outputs if projected else cells
    y = net.value((first, second, n), scale(net, 0.002, 0.012))
    gain = scale(net, 0.3, 6)
    weight = lambda shape, dtype="int8": codes(net, shape, dtype, scale(net, 0.003, 0.02) * gain, 45, 127)
    sx, sy = net.params[x][0], net.params[y][0]

    def bias(w, of):
        return codes(net, (net.shapes[w][0],), "int32", float(f32(net.params[w][0] * of)), 4000, 1 << 20)

    gates = [None if coupled and i == 0 else (weight((cells, steps)), weight((cells, n))) for i in range(4)]
    at = lambda own, i: -1 if own is None else own[i]
    peep = lambda i: codes(net, (cells,), "int16", scale(net, 1e-5, 2e-4), 9000, 32767) if peephole and not (coupled and i == 0) else -1
    normed = [codes(net, (cells,), "int16", scale(net, 1e-5, 1e-4), 9000, 32767) if norm and not (coupled and i == 0) else -1 for i in range(4)]
    hidden = (scale(net, 0.003, 0.01), int(net.rng.integers(-40, 40))) if projected else net.params[y]
    # the bias of normalized sums has the norm's scale, over 2^10
    biases = [-1 if own is None else codes(net, (cells,), "int32", 1e-4, 3e6 if norm else 4000, 1 << 24) if norm else bias(own[0], sx) for own in gates]
    weights = weight((n, cells)) if projected else -1
    states = [net.tensor((batch, n), net.types[y], *net.params[y], variable=True),
              net.tensor((batch, cells), "int16", 2.0 ** -int(net.rng.integers(9, 16 if coupled else 19)), variable=True)]
    sums = [net.tensor((0,), "int16", scale(net, 1e-4, 1e-3)) if norm else net.tensor((0,), "float32") for _ in range(4)]
    reads = [x, *(at(own, 0) for own in gates), *(at(own, 1) for own in gates), *(peep(i) for i in (0, 1, 3)), *biases, weights,
             bias(weights, hidden[0]) if projected and net.rng.integers(2) else -1, *states, *normed]
    clip = lambda odds: scale(net, 0.2, 3) if net.rng.random() < odds else 0.0
    net.op("UNIDIRECTIONAL_SEQUENCE_LSTM", reads[:inputs], [y], 3, intermediates=[*sums, net.tensor((0,), "int8", *hidden)],
           fusedActivationFunction=TANH, cellClip=clip(0.5), projClip=clip(0.5) if projected else 0.0, timeMajor=time_major)
    return y


KINDS = {"plain": {}, "time first": {"time_major": True}, "cifg": {"coupled": True}, "peephole": {"peephole": True}, "projected": {"outputs": 7},
         "wider projection": {"outputs": 19, "time_major": True}, "normalized": {"norm": True}, "normalized cifg": {"norm": True, "coupled": True},
         "all": {"norm": True, "peephole": True, "outputs": 6, "time_major": True}, "cifg with peephole": {"coupled": True, "peephole": True, "outputs": 5}}
for kind, more in KINDS.items():
    @network(f"lstm, streaming {kind}")
    def make(seed, size, more=more):
        net = Net(seed)
        batch, time, steps = int(net.rng.integers(1, 4)), int(net.rng.integers(1, 9)), int(net.rng.integers(1, 2 * size))
        # of one batch with two sequences a sample is a step where time is the first axis
        first, second = (time, batch) if more.get("time_major") else (batch, time)
        x = net.input((first, second, steps), scale(net, 0.01, 0.06))
        return done(net, lstm(net, x, int(net.rng.integers(2, 2 * size)) if not more.get("peephole") else 16, **more))


@network("lstm parts, streaming")
def make(seed, size):
    """What the converter does not write: one after the other, two sequences of five steps."""
    net = Net(seed)
    x = net.input((2, 5, 6), 0.03)
    coupled = lstm(net, x, 8, coupled=True)
    projected = lstm(net, coupled, 7, peephole=True, outputs=5)
    normed = lstm(net, projected, 6, norm=True)
    return done(net, lstm(net, normed, 9, outputs=4, time_major=True))


def svdf(net, x, units, rank, memory, *, narrow=False, bias=True):
    """narrow: an int8 state with a zero point and int8 weights of time, which TFLite Micro alone takes."""
    batch, steps = net.shapes[x]
    filters, kind = units * rank, "int8" if narrow else "int16"
    y = net.value((batch, units), scale(net, 0.01, 0.05))
    feature = codes(net, (filters, steps), "int8", scale(net, 0.003, 0.02), 45, 127)
    time = codes(net, (filters, memory), kind, scale(net, 0.003, 0.02) / (1 if narrow else 256), 45 if narrow else 9000, 127 if narrow else 32767)
    kept = scale(net, 0.01, 0.06) / (1 if narrow else 256)
    state = net.tensor((batch, filters * memory), kind, kept, int(net.rng.integers(-20, 20)) if narrow else 0, variable=True)
    reads = [x, feature, time, codes(net, (units,), "int32", float(f32(kept) * f32(net.params[time][0])), 3e5, 1 << 24) if bias else -1, state]
    net.op("SVDF", reads, [y], 3, rank=rank, fusedActivationFunction=1)  # TFLite takes no other, and clamps to int8 alone
    return y


for kind, more in {"": {}, " without bias": {"bias": False}, " on micro": {"narrow": True}}.items():
    @network(f"svdf, streaming{kind}")
    def make(seed, size, more=more):
        net = Net(seed)
        x = net.input((int(net.rng.integers(1, 4)), int(net.rng.integers(1, 2 * size))), scale(net, 0.01, 0.06))
        h = svdf(net, x, int(net.rng.integers(1, size)), int(net.rng.integers(1, 4)), int(net.rng.integers(1, size)), **more)
        return done(net, h, svdf(net, h, 4, 2, 6, **more))


@network("keywords, streaming")
def make(seed, size):
    """Two SVDF and a fully connected layer, as keyword spotters have them."""
    net = Net(seed)
    x = net.input((1, 20), 0.04)
    return done(net, dense(net, svdf(net, svdf(net, x, 8, 2, 7), 6, 1, 5), 4))
