// Reads golden vectors of kernel tflite-double (iris, fc1) and computes them again: int32 accumulator, Q31 multiplier with
// two roundings, the second half away from zero.
module testbench;
  localparam SAMPLES = 151, K = 4, N = 16, ZX = 128, ZY = 128;
  reg [7:0] x [0:SAMPLES*K-1];
  reg signed [7:0] w [0:N*K-1];
  reg signed [31:0] bias [0:N-1];
  reg signed [31:0] multiplier [0:N-1];
  reg signed [7:0] shift [0:N-1];
  reg signed [31:0] accumulator [0:SAMPLES*N-1];
  reg [7:0] y [0:SAMPLES*N-1];
  integer s, n, k, wrong_sums, wrong_codes;
  reg signed [63:0] acc, high, half, code;

  initial begin
    $readmemh("fc1.input.memh", x);
    $readmemh("fc1.weight.memh", w);
    $readmemh("fc1.bias_int32.memh", bias);
    $readmemh("fc1.multiplier_int32.memh", multiplier);
    $readmemh("fc1.shift.memh", shift);
    $readmemh("fc1.accumulator.memh", accumulator);
    $readmemh("fc1.output.memh", y);
    wrong_sums = 0;
    wrong_codes = 0;
    for (s = 0; s < SAMPLES; s = s + 1)
      for (n = 0; n < N; n = n + 1) begin
        acc = bias[n];
        for (k = 0; k < K; k = k + 1) acc = acc + ($signed({1'b0, x[s*K+k]}) - ZX) * w[n*K+k];
        if (acc != accumulator[s*N+n]) wrong_sums = wrong_sums + 1;
        high = (acc * multiplier[n] + 64'sd1073741824) >>> 31;
        half = (64'sd1 << -shift[n]) >> 1;
        code = high < 0 ? -((-high + half) >>> -shift[n]) : (high + half) >>> -shift[n];
        code = code + ZY;
        code = code < 0 ? 0 : code > 255 ? 255 : code;
        if (code != y[s*N+n]) wrong_codes = wrong_codes + 1;
      end
    $display("%0d accumulators and %0d codes of %0d differ", wrong_sums, wrong_codes, SAMPLES * N);
  end
endmodule
