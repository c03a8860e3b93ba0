// Reads golden vectors of a conv2d (uneven padding, strides 2 and 1) and sums its patches again: padding holds the zero point.
module testbench;
  localparam SAMPLES = 3, C = 3, H = 6, W = 5, N = 4, KH = 3, KW = 2, OH = 3, OW = 6;
  localparam SY = 2, SX = 1, PY = 1, PX = 0, ZX = 200;
  reg [7:0] x [0:SAMPLES*C*H*W-1];
  reg signed [7:0] w [0:N*C*KH*KW-1];
  reg signed [31:0] bias [0:N-1];
  reg signed [31:0] accumulator [0:SAMPLES*N*OH*OW-1];
  integer s, n, oy, ox, ky, kx, c, iy, ix, acc, code, wrong;

  initial begin
    $readmemh("conv.input.memh", x);
    $readmemh("conv.weight.memh", w);
    $readmemh("conv.bias_int32.memh", bias);
    $readmemh("conv.accumulator.memh", accumulator);
    wrong = 0;
    for (s = 0; s < SAMPLES; s = s + 1)
      for (n = 0; n < N; n = n + 1)
        for (oy = 0; oy < OH; oy = oy + 1)
          for (ox = 0; ox < OW; ox = ox + 1) begin
            acc = bias[n];
            for (ky = 0; ky < KH; ky = ky + 1)
              for (kx = 0; kx < KW; kx = kx + 1)
                for (c = 0; c < C; c = c + 1) begin
                  iy = oy * SY + ky - PY;
                  ix = ox * SX + kx - PX;
                  code = ZX;
                  if (iy >= 0 && iy < H && ix >= 0 && ix < W) code = x[((s * C + c) * H + iy) * W + ix];
                  acc = acc + (code - ZX) * w[((n * C + c) * KH + ky) * KW + kx];
                end
            if (acc != accumulator[((s * N + n) * OH + oy) * OW + ox]) wrong = wrong + 1;
          end
    $display("%0d accumulators of %0d differ", wrong, SAMPLES * N * OH * OW);
  end
endmodule
