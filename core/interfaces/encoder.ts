import type { Resolver } from "../di/resolver.ts";
import { type ListToken, listToken } from "../di/token.ts";
import type { Frozen } from "../nn/frozen.ts";
import type { Scope } from "../nn/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { named } from "./named.ts";

/** A frozen network that reads texts: what metrics hold pictures to, and what models are told of a prompt. */
export interface Encoder {
  readonly name: string;
  /** Tokens of a text: the width of a row of `tokens`. */
  readonly context: number;
  /** Widths of its outputs by name. */
  readonly widths: Readonly<Record<string, number>>;
  /**
   * Rows of tokens [texts, context], row-major; reads the vocabulary when it is first asked for. Those of `prefix` stand before the
   * text of each; a row that gets too long is cut, and ends as whole ones do.
   */
  tokens(texts: readonly string[], prefix?: string): Promise<Int32Array>;
  /** What is left out of each text where its row is full, as it is written; undefined for a text that fits. */
  cut?(texts: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** The network over its parameters, in a trace: ids i32 [B, context] → [B, width], or [B, context, width], by name. */
  bind(scope: Scope): { encode(ids: Tensor): Readonly<Record<string, Tensor>> };
  /** Its weights, read when first asked for. */
  load(): Promise<Frozen>;
}

/** Every encoder of the run. */
export const ENCODERS: ListToken<Encoder> = listToken<Encoder>("encoders");

/** The encoder of a name. Throws E_MISSING_PLUGIN when the run has none. */
export const encoderNamed = (container: Resolver, name: string): Encoder => named(container, ENCODERS, "encoder", name);
