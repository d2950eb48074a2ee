/** The dispatches of one run, each in a pass of its own with a timestamp before and after. */
export interface PassTimes {
  /** Milliseconds of each dispatch, in order. Waits for the device. */
  read(): Promise<number[]>;
}

/** Most queries that a set may hold. */
const MOST_QUERIES = 4096;
const QUERY_RESOLVE = 0x200;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;

/**
 * Times the dispatches of what `submit` encodes before it first waits. Passes of one dispatch run one after the other, which
 * costs a little; the sum says what the kernels take, not what the program does.
 */
export function timePasses<T>(device: GPUDevice, dispatches: number, submit: () => T): { result: T; times: PassTimes } {
  const count = Math.min(dispatches, MOST_QUERIES / 2);
  const querySet = device.createQuerySet({ type: "timestamp", count: count * 2 });
  const bytes = count * 16;
  const resolved = device.createBuffer({ size: bytes, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
  const createCommandEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder(descriptor);
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = () =>
      splitPass(begin, querySet, count, () => {
        encoder.resolveQuerySet(querySet, 0, count * 2, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
      });
    return encoder;
  };
  let result: T;
  try {
    result = submit();
  } finally {
    device.createCommandEncoder = createCommandEncoder;
  }
  const read = async () => {
    await staging.mapAsync(1);
    const stamps = new BigInt64Array(staging.getMappedRange().slice(0));
    for (const buffer of [resolved, staging]) buffer.destroy();
    querySet.destroy();
    return Array.from({ length: count }, (_, i) => Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6);
  };
  return { result, times: { read } };
}

/** What looks like a pass and makes one of each dispatch. Knows the calls that our executables make. */
function splitPass(
  begin: (descriptor?: GPUComputePassDescriptor) => GPUComputePassEncoder,
  querySet: GPUQuerySet,
  count: number,
  atEnd: () => void,
): GPUComputePassEncoder {
  let pipeline: GPUComputePipeline;
  let group: GPUBindGroup;
  let n = 0;
  const pass = {
    setPipeline: (next: GPUComputePipeline) => void (pipeline = next),
    setBindGroup: (_: number, next: GPUBindGroup) => void (group = next),
    dispatchWorkgroups(x: number, y?: number, z?: number) {
      const timestampWrites = {
        querySet,
        beginningOfPassWriteIndex: 2 * n,
        endOfPassWriteIndex: 2 * n + 1,
      };
      const own = begin(n++ < count ? { timestampWrites } : {});
      own.setPipeline(pipeline);
      own.setBindGroup(0, group);
      own.dispatchWorkgroups(x, y, z);
      own.end();
    },
    end: atEnd,
  };
  return pass as unknown as GPUComputePassEncoder;
}
