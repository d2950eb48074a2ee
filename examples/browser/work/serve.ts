import type { Calls, News } from "./messages.ts";

/** What a worker does for each call. */
export type Handlers = { readonly [K in keyof Calls]: (argument: Calls[K]["argument"]) => Promise<Calls[K]["result"]> };

/** An error as it travels: only its words do. */
export interface Refusal {
  readonly message: string;
  readonly code?: string;
}

/** Answers the calls of the page, each in its time. */
export function serve(handlers: Partial<Handlers>): void {
  globalThis.onmessage = async ({ data: { id, name, argument } }: MessageEvent) => {
    try {
      const handler = handlers[name as keyof Calls];
      if (!handler) throw new Error(`this worker knows no "${name}"`);
      const result = await handler(argument as never);
      postMessage({ id, result });
    } catch (error) {
      const { message, code } = error as Refusal;
      postMessage({ id, refusal: { message: message ?? String(error), code } });
    }
  };
}

/** The same function, each call of which waits for the one before: a device does one thing at a time. */
export function inTurn<A, R>(work: (argument: A) => Promise<R>, line: Line): (argument: A) => Promise<R> {
  return (argument) => {
    const done = line.last.then(() => work(argument));
    line.last = done.catch(() => {});
    return done;
  };
}

/** Those who wait for one device. */
export interface Line {
  last: Promise<unknown>;
}

/** Tells the page something that it has not asked for. */
export const tell = (news: News): void => postMessage({ news });
