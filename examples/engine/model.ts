/// <reference lib="esnext.disposable" preserve="true" />
import type { Judgement } from "../../core/train/sampling/evaluation.ts";
import type { EvaluateRequest } from "./evaluate.ts";
import type { Sampled, SampleRequest } from "./sampleRequest.ts";

/** Something to sample from: its caller's to dispose, and its engine's at the latest. */
export interface Model extends AsyncDisposable {
  /** Whose weights these are, such as `generator`; `pipeline` of a model that makes pictures of texts. */
  readonly role: string;
  /** Shape of a sample, such as [1, 16, 16]. */
  readonly shape: readonly number[];
  /** The classes by name, or by number where they have no names; absent where there are none. */
  readonly classes?: readonly string[];
  /**
   * Draws samples. Calls may overlap: they are served one after another.
   * @throws E_OPTION or E_UNKNOWN_OPTION for what this model does not know; E_ABORTED; E_DISPOSED
   */
  sample(request?: SampleRequest): Promise<Sampled>;
  /** The same samples in portions, as they are drawn; other calls wait until the last is taken. Throws as `sample`. */
  portions(request?: SampleRequest): AsyncGenerator<Sampled, void>;
  /**
   * Judges samples by metrics, against the data that the weights were trained on, or others.
   * @throws as `sample`, and E_DATA, E_FILE or E_CONFIG for data and metrics that can't be
   */
  evaluate(request?: EvaluateRequest): Promise<Judgement>;
  /** Frees the device's memory, after the calls that are being served. A second call does nothing. */
  dispose(): Promise<void>;
}
