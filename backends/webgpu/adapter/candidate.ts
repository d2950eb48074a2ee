/** The implementation of WebGPU behind an adapter. */
export type Via = "dawn" | "navigator";

/** Where an adapter's driver comes from: installed on the system, or unpacked from an npm package. */
export type Origin = "system" | "package";

/** An adapter that could be opened. Doors yield them lazily, best first, so that no driver is loaded in vain. */
export interface Candidate {
  readonly via: Via;
  readonly origin: Origin;
  /** Its name when that is known before it is asked for. */
  readonly name?: string;
  /** Asks for the adapter; null when there is none after all. */
  request(): Promise<GPUAdapter | null>;
}
