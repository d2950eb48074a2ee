import type { Calls, News } from "../work/messages.ts";
import type { Refusal } from "../work/serve.ts";

/** A worker, as the page sees it. */
export interface Caller {
  call<K extends keyof Calls>(name: K, argument: Calls[K]["argument"]): Promise<Calls[K]["result"]>;
  /** Hears news from now on. */
  listen(heard: (news: News) => void): void;
}

/** Starts a worker of this folder. A worker that can't be started rejects every call. */
export function startCaller(file: string): Caller {
  const worker = new Worker(file, { type: "module" });
  const open = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  const listeners: ((news: News) => void)[] = [];
  let broken: Error | undefined;
  let last = 0;
  worker.onmessage = ({ data }: MessageEvent<{ id: number; result: never; refusal?: Refusal; news?: News }>) => {
    const { id, result, refusal, news } = data;
    if (news) for (const heard of listeners) heard(news);
    else if (refusal) open.get(id)?.reject(Object.assign(new Error(refusal.message), { code: refusal.code }));
    else open.get(id)?.resolve(result);
    open.delete(id);
  };
  worker.onerror = (event) => {
    broken = new Error(event.message || `${file} could not be started: is the whole folder on the server?`);
    for (const { reject } of open.values()) reject(broken);
    open.clear();
  };
  return {
    call: (name, argument) =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken);
        open.set(++last, { resolve, reject });
        worker.postMessage({ id: last, name, argument });
      }),
    listen: (heard) => void listeners.push(heard),
  };
}
