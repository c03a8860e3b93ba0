/** What model.json says about the machine; only what decides the kernel. */
export interface Producer {
  readonly flow: string;
  readonly engine?: string;
  readonly cpu_capability: string;
  readonly avx512_vnni?: boolean;
  readonly avx_vnni?: boolean;
  readonly amx_int8?: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

/** The kernel that PyTorch ran on this x86 CPU under these variables, or why no model is known to be it. */
export function kernelThatRan(producer: Producer): { kernel: string } | { unknown: string } {
  const { flow, engine, cpu_capability: capability, avx512_vnni: vnni, amx_int8: amx, environment } = producer;
  const held = environment.ONEDNN_MAX_CPU_ISA === 'AVX2';
  if (flow === 'pt2e-reference') return { kernel: flow };
  if (flow === 'torchao') {
    // torch._int_mm asks oneDNN on a CPU with AVX512-VNNI only: kernels/torchao.md
    return { kernel: vnni && held ? 'torchao-avx2' : 'torchao' };
  }
  if (engine === 'qnnpack') return { kernel: 'qnnpack' };
  if (engine === 'fbgemm' || engine === 'x86') {
    const exact = vnni && environment.FBGEMM_ENABLE_INSTRUCTIONS !== 'AVX2';
    return { kernel: exact ? 'fbgemm' : 'fbgemm-avx2' };
  }
  const name = flow === 'pt2e-lowered' ? 'onednn-pointwise' : 'onednn';
  if (!held && capability === 'AVX2' && producer.avx_vnni) return { unknown: `${name} with AVX-VNNI` };
  if (held || capability === 'AVX2') return { kernel: `${name}-avx2` };
  if (amx && environment.ONEDNN_MAX_CPU_ISA === undefined) return { kernel: `${name}-amx` };
  if (vnni) return { kernel: name };
  if (capability === 'AVX512' && name === 'onednn') return { kernel: 'onednn-avx512' };
  return { unknown: `${name} on ${capability} without VNNI` };
}
