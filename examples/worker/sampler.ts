/** Sampling in a worker: the thread that shows things stays free while one draws. The same two ends in Node, Deno and browsers. */
import { createEngine, type EngineOptions, type SampleRequest } from "onestep/engine";

/** What the thread sends. */
export type Question =
  | { readonly id: number; readonly load: Uint8Array; readonly options: Pick<EngineOptions, "device" | "threads"> }
  | { readonly id: number; readonly sample: Omit<SampleRequest, "signal" | "onProgress"> }
  | { readonly id: number; readonly cancel: number };

/** Samples as they travel; their numbers are moved, not copied. */
export interface Answer {
  readonly shape: readonly number[];
  readonly x: Float32Array;
  readonly nfe: number;
}

/** What the worker sends back: an answer, or an error with its code. */
export type Reply =
  | { readonly id: number; readonly answer?: Answer; readonly classes?: readonly string[] }
  | { readonly id: number; readonly code: string; readonly error: string };

/** One end of the line between a thread and its worker. */
export interface Port<Sent, Received> {
  send(message: Sent, transfer?: readonly ArrayBuffer[]): void;
  listen(hear: (message: Received) => void): void;
}

/** The life of the worker: loads one model, then samples from it. */
export function serveSampler(port: Port<Reply, Question>): void {
  const cancels = new Map<number, AbortController>();
  let model: ReturnType<typeof opened> | undefined;
  port.listen((question) => {
    const { id } = question;
    if ("cancel" in question) return void cancels.get(question.cancel)?.abort();
    const answer = async () => {
      if ("load" in question) {
        model = opened(question.load, question.options);
        return void port.send({ id, classes: (await model).classes });
      }
      if (!model) throw new Error("nothing is loaded, send the weights first");
      const cancel = new AbortController();
      cancels.set(id, cancel);
      const { shape, x, nfe } = await (await model).sample({ ...question.sample, signal: cancel.signal });
      port.send({ id, answer: { shape, x, nfe } }, [x.buffer as ArrayBuffer]);
    };
    answer()
      .catch((error) => port.send({ id, code: error.code ?? "E_INTERNAL", error: String(error.message ?? error) }))
      .finally(() => cancels.delete(id));
  });
}

async function opened(weights: Uint8Array, options: Pick<EngineOptions, "device" | "threads">) {
  const engine = await createEngine(options);
  return engine.load(weights);
}

/** The thread's end: asks the worker, and waits for its answers. */
export class WorkerSampler {
  readonly #port: Port<Question, Reply>;
  readonly #open = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>();
  #next = 0;

  constructor(port: Port<Question, Reply>) {
    this.#port = port;
    port.listen((reply) => {
      const waiting = this.#open.get(reply.id);
      this.#open.delete(reply.id);
      if ("error" in reply) waiting?.reject(Object.assign(new Error(reply.error), { code: reply.code }));
      else waiting?.resolve(reply);
    });
  }

  /** Gives the worker the weights of a run; the classes by name, where there are some. */
  async load(weights: Uint8Array, options: Pick<EngineOptions, "device" | "threads"> = {}): Promise<readonly string[]> {
    const reply = await this.#ask({ id: this.#next++, load: weights, options });
    return "classes" in reply ? (reply.classes ?? []) : [];
  }

  async sample({ signal, ...sample }: Omit<SampleRequest, "onProgress"> = {}): Promise<Answer> {
    const id = this.#next++;
    const cancel = () => this.#port.send({ id: this.#next++, cancel: id });
    signal?.addEventListener("abort", cancel);
    try {
      const asked = this.#ask({ id, sample });
      if (signal?.aborted) cancel();
      return ((await asked) as { answer: Answer }).answer;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  #ask(question: Question): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#open.set(question.id, { resolve, reject });
      this.#port.send(question);
    });
  }
}
