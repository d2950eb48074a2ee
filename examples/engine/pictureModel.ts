/// <reference lib="esnext.disposable" preserve="true" />
import { failure } from "../../core/errors.ts";
import type { Judgement } from "../../core/train/sampling/evaluation.ts";
import type { OpenedPipeline } from "../../plugins/pipelines/textToImage.ts";
import { unlessAborted } from "./abort.ts";
import type { Around } from "./around.ts";
import type { EvaluateRequest } from "./evaluate.ts";
import { Line } from "./line.ts";
import type { Model } from "./model.ts";
import { valuesOf } from "./pictures.ts";
import { checkRequest, type Sampled, type SampleRequest } from "./sampleRequest.ts";

/** A model in files that makes pictures of texts or classes. It holds no weights between two calls. */
export class PictureModel implements Model {
  readonly role = "pipeline";
  readonly shape: readonly number[];
  readonly #around: Around;
  readonly #opened: OpenedPipeline;
  readonly #line = new Line();
  #disposed = false;

  constructor(around: Around, opened: OpenedPipeline) {
    this.#around = around;
    this.#opened = opened;
    const { height, width } = opened.model.size;
    this.shape = [3, height, width];
  }

  async sample(request: SampleRequest = {}): Promise<Sampled> {
    checkRequest(request, { condition: "the model makes it of the prompt" });
    const { prompt, label, count, seed = 0, signal, onProgress } = request;
    if (typeof label === "object")
      throw failure("E_OPTION", "Cannot sample with a list of labels: the model draws one class at a time", {
        fix: "give one label, or none for every class in turn",
      });
    const { negative, size, steps, sampler, guidance } = request;
    return unlessAborted(signal, "sample", async () => {
      const end = await this.#begin(signal);
      try {
        const { pictures, nfe } = await this.#opened.generate({
          ...{ prompt, negative, count, seed, size, steps, sampler, signal },
          guidanceScale: guidance,
          label: label === undefined ? undefined : String(label),
          onProgress: ({ part, done, total }) => part === "steps" && onProgress?.(done, total),
        });
        return { ...valuesOf(pictures), condition: {}, seed, nfe, pictures: () => [...pictures] };
      } finally {
        end();
      }
    });
  }

  async *portions(request: SampleRequest = {}): AsyncGenerator<Sampled, void> {
    yield await this.sample(request);
  }

  async evaluate(request: EvaluateRequest = {}): Promise<Judgement> {
    const { evaluateModel } = await import("./evaluate.ts");
    return evaluateModel(this, request, this.#around);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#around.forget(this);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #begin(signal: AbortSignal | undefined): Promise<() => void> {
    if (this.#disposed) throw failure("E_DISPOSED", "Cannot sample from the pipeline: it is disposed");
    return this.#line.turn(signal, "sample");
  }
}
