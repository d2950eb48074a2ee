// What the bench and its engines say to each other: one JSON object a line, requests on stdin, replies on stdout. Lines of
// stdout that do not begin with { are an engine's own chatter.

export type Request =
  /** Make a case ready and call it once. */
  | { readonly ask: "prepare"; readonly case: string }
  /** Call it for about `ms`, at least once. */
  | { readonly ask: "round"; readonly ms: number }
  /** Call it until the results of the first `calls` calls are known. Comes before any round. */
  | { readonly ask: "values"; readonly calls: number }
  | { readonly ask: "release" };

/** The first line of an engine, once it is open. */
export interface Hello {
  /** Engine, version and device for people. */
  readonly about: string;
}

export interface PrepareReply {
  /** From nothing to the result of the first call, in milliseconds. */
  readonly firstMs: number;
  /** CPU time of the same. */
  readonly firstCpuMs: number;
  /** Operations of one call, when the engine has counted them. */
  readonly flops?: number;
  readonly note?: string;
}

export interface RoundReply {
  /** Each call. */
  readonly wallMs: readonly number[];
  /** Of a call, user and system, all threads. */
  readonly cpuMs: number;
  /** Of a call; null where the engine has no such thing. */
  readonly dispatches: number | null;
  readonly submits: number | null;
  readonly newBindGroups: number | null;
  readonly newBuffers: number | null;
  /** Most that the device has held since the case was prepared. */
  readonly peakBytes: number | null;
}

/** What the calls have returned, from the first on. */
export interface ValuesReply {
  readonly values: readonly number[];
}

export interface FailureReply {
  readonly failed: string;
}
