/**
 * WebGPU's flag values, fixed by the specification. The globals of the same meaning (`GPUBufferUsage`, …) are missing in
 * Node, where WebGPU is a package, and a library should not add globals.
 */
export const bufferUsage = {
  MAP_READ: 0x0001,
  MAP_WRITE: 0x0002,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  INDEX: 0x0010,
  VERTEX: 0x0020,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
  INDIRECT: 0x0100,
  QUERY_RESOLVE: 0x0200,
} as const;

/** Directions of `mapAsync`. */
export const mapMode = { READ: 0x0001, WRITE: 0x0002 } as const;

/** Stages that a binding is visible to. */
export const shaderStage = { VERTEX: 0x1, FRAGMENT: 0x2, COMPUTE: 0x4 } as const;
