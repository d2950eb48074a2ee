import { MATRICES } from "../../../../backends/webgpu/adapter/limits.ts";
import type { MatrixConfig } from "../../../../backends/webgpu/adapter/matrixProbe.ts";
import { trialsOf } from "../../../../backends/webgpu/adapter/matrixTrial.ts";

/** An adapter that multiplies as it is told to: with subgroup matrices, or what a driver may make of them. */
export interface FakeMatrices {
  readonly features?: readonly string[];
  readonly configs?: readonly MatrixConfig[];
  /** What the compiler says to a kernel. */
  readonly refuses?: (code: string) => string | undefined;
  /** What becomes of an element of a result. */
  readonly computes?: (exact: number, code: string) => number;
  /** The device is lost when it is to compute. */
  readonly loses?: boolean;
}

export interface FakeAdapter {
  readonly adapter: GPUAdapter;
  /** Kernels that were compiled. */
  readonly compiled: readonly string[];
  /** Of those, products: one for each attempt. */
  readonly products: readonly string[];
  /** Devices that were opened and not destroyed. */
  open(): number;
}

/** As much of a WebGPU adapter as the probe uses. */
export function fakeAdapter({
  features = [MATRICES, "shader-f16", "subgroups"],
  configs = [],
  refuses = () => undefined,
  computes = (exact) => exact,
  loses = false,
}: FakeMatrices): FakeAdapter {
  const compiled: string[] = [];
  let open = 0;

  function requestDevice() {
    open++;
    let fault: { message: string } | null = null;
    let lose: (info: { message: string }) => void = () => {};
    const lost = new Promise<{ message: string }>((resolve) => {
      lose = resolve;
    });
    /** The contents of the kernel's bindings: a, b, c and dims. */
    let bound: FakeBuffer[] = [];
    const pass = { setPipeline() {}, setBindGroup() {}, dispatchWorkgroups() {}, end() {} };
    const submit = () => {
      if (loses) lose({ message: "it fell off the bus" });
      const code = compiled[compiled.length - 1];
      if (!isProduct(code)) {
        const results = new Float32Array(bound[bound.length - 2].data);
        results.set(expectedOf(code).map((exact) => computes(exact, code)));
        return;
      }
      const [a, b, c, dims] = bound.map(({ data }) => data);
      const [M, N, K] = new Uint32Array(dims);
      const [scale] = new Float32Array(dims, 21 * 4);
      const [left, right] = [new Float32Array(a), new Float32Array(b)];
      const product = Float32Array.from({ length: M * N }, (_, i) => {
        let sum = 0;
        for (let k = 0; k < K; k++) sum += left[Math.floor(i / N) * K + k] * right[k * N + (i % N)];
        return computes(scale * sum, code);
      });
      new Float32Array(c).set(product);
    };
    return {
      lost,
      pushErrorScope() {},
      popErrorScope: async () => fault,
      createShaderModule({ code }: { code: string }) {
        compiled.push(code);
        const message = refuses(code);
        fault = message === undefined ? null : { message };
      },
      async createComputePipelineAsync() {
        if (fault) throw new Error("the module is invalid");
        return { getBindGroupLayout() {} };
      },
      createBuffer: ({ size }: { size: number }) => new FakeBuffer(size),
      createBindGroup({ entries }: { entries: { resource: { buffer: FakeBuffer } }[] }) {
        bound = entries.map(({ resource }) => resource.buffer);
      },
      createCommandEncoder: () => ({
        beginComputePass: () => pass,
        copyBufferToBuffer(from: FakeBuffer, _: number, to: FakeBuffer) {
          to.data = from.data;
        },
        finish() {},
      }),
      queue: {
        submit,
        writeBuffer(buffer: FakeBuffer, _: number, data: Uint8Array | Float32Array) {
          const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
          new Uint8Array(buffer.data).set(bytes);
        },
      },
      destroy() {
        open--;
        lose({ message: "destroyed" });
      },
    };
  }

  const adapter = {
    features: new Set(features),
    limits: {},
    info: { subgroupMatrixConfigs: configs, subgroupMaxSize: 32 },
    requestDevice: async () => requestDevice(),
  };
  return {
    adapter: adapter as unknown as GPUAdapter,
    compiled,
    get products() {
      return compiled.filter(isProduct);
    },
    open: () => open,
  };
}

const isProduct = (code: string): boolean => code.includes("// matmulMatrix: ");

/** What another kernel should compute: its own test against the oracle says that the trial has it right. */
function expectedOf(code: string): Float32Array {
  const [M, N, K] = [..."MNK"].map((name) => Number(code.match(`const MATRIX_${name} = (\\d+)u;`)?.[1]));
  const factors = code.includes("alias Element = f16;") ? "f16" : "f32";
  const trials = trialsOf({ factors, M, N, K, layout: "template" }, 128).flatMap(([, each]) => each);
  return trials.find(({ pass }) => code.includes(`// ${pass.kernel}: `))!.expected;
}

class FakeBuffer {
  readonly size: number;
  data: ArrayBuffer;

  constructor(size: number) {
    this.size = size;
    this.data = new ArrayBuffer(size);
  }

  mapAsync = async () => {};
  getMappedRange = () => this.data;
  unmap() {}
  destroy() {}
}
