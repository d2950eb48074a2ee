import { type Token, token } from "../di/token.ts";

/** Keeps for later runs what takes long to make and can be made again. Names are plain file names. */
export interface Cache {
  /** What was kept under a name; undefined when there is nothing, or it can't be read. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Never rejects: a cache that can't be written is no fault of the run. */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** The cache of the run, where it has one. */
export const CACHE: Token<Cache> = token<Cache>("cache");
