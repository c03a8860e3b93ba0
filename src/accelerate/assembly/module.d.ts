declare module '*.ts?wasm' {
  /** The WebAssembly module, base64. */
  const base64: string;
  export default base64;
}

declare module '*.ts?wasm-relaxed' {
  /** The same with relaxed SIMD. */
  const base64: string;
  export default base64;
}

/** What is used of it; Node's own types leave it to the browser's. */
declare namespace WebAssembly {
  function validate(bytes: Uint8Array): boolean;
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: object;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: boolean });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }
}
