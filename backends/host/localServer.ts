import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { failure } from "../../core/errors.ts";

/** What a server of this machine's own pages needs. */
export interface LocalServerOptions {
  /** 0 takes any that is free. */
  readonly port: number;
  /** What every address begins with, as `/TOKEN/`; letters and digits. Default a new random one. */
  readonly token?: string;
  /** Answers a request that may be answered. `path` is what stands behind the token, decoded, without a query. */
  handle(request: LocalRequest, response: ServerResponse): Promise<void> | void;
}

/** A request of a page of ours. */
export interface LocalRequest {
  readonly method: string;
  readonly path: string;
  /** The body as text. @throws E_REQUEST where it is longer than 64 KiB */
  body(): Promise<string>;
  /** Of Node, for who waits for its end. */
  readonly incoming: IncomingMessage;
}

/** A server that listens. */
export interface LocalServer {
  /** The address to open, with the token. */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The address that is listened on: of this machine, and of no network. */
const LOOPBACK = "127.0.0.1";
/** Names by which a page may call it; a port forwarded by ssh may be another one. */
const OWN_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;
/** Bytes of a body at most. */
const LONGEST = 65_536;

/** Everything comes from here, nothing may frame the page, and no address goes elsewhere. */
const GUARDS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/** A token that nobody guesses: 24 bytes at random, in letters that need no escape. */
export const newToken = (): string => randomBytes(24).toString("hex");

/**
 * Serves pages to browsers of this machine alone. Whatever does not name the token is refused, whoever asks; so is a host name
 * that is not this machine's, by which a page of elsewhere could have been led here, and a page of another origin.
 * @throws E_PORT where the port is in use, or may not be used
 */
export async function serveLocally({ port, token = newToken(), handle }: LocalServerOptions): Promise<LocalServer> {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(GUARDS)) response.setHeader(name, value);
    response.on("error", () => {});
    void answer(request, response, token, handle);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(refused(port, error)));
    server.listen({ port, host: LOOPBACK, exclusive: true }, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    address: `http://${LOOPBACK}:${taken}/${token}/`,
    port: taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  handle: LocalServerOptions["handle"],
): Promise<void> {
  try {
    const path = admitted(request, token);
    if (typeof path !== "string") return refuse(response, path.status, path.text);
    await handle({ method: request.method ?? "GET", path, body: () => bodyOf(request), incoming: request }, response);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (response.headersSent) response.end();
    else refuse(response, 400, `error ${code ?? "E_REQUEST"}: ${message}`);
  }
}

/** A line of text with a status. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}

/** The path behind the token; why not, where the request is to be refused. */
function admitted(
  { headers, url = "/" }: IncomingMessage,
  token: string,
): string | { readonly status: number; readonly text: string } {
  const no = (why: string) => ({ status: 403, text: `error E_REQUEST: Cannot answer: ${why}` });
  const host = headers.host ?? "";
  if (!OWN_HOST.test(host)) return no(`the host is ${quoted(host)}, should be ${LOOPBACK} or localhost`);
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`)
    return no(`the page is of ${quoted(origin)}, should be of http://${host}`);
  const site = headers["sec-fetch-site"];
  // A link of elsewhere may lead here, but no page of elsewhere may ask.
  if (site !== undefined && site !== "same-origin" && site !== "none" && headers["sec-fetch-mode"] !== "navigate")
    return no(`a page of another site asks, should be the page of this address`);
  const [, given = "", rest = ""] = url.match(/^\/([^/?]*)\/?([^?]*)/) ?? [];
  if (!same(given, token)) return no("the address has no token or another one, should be the address that was printed");
  try {
    return decodeURIComponent(rest);
  } catch {
    return { status: 400, text: "error E_REQUEST: Cannot answer: the path is not in UTF-8" };
  }
}

/** Takes as long for any text of the token's length. */
function same(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 100));

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > LONGEST)
      throw failure("E_REQUEST", `Cannot take the request: its body is longer than ${LONGEST} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Why a server could not begin, by the system's code. */
function refused(port: number, error: NodeJS.ErrnoException) {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program uses it, one that is free should be given",
    EACCES: "the system does not allow it, one above 1023 should be given",
    EADDRNOTAVAIL: `there is no ${LOOPBACK} here`,
  };
  return failure("E_PORT", `Cannot listen on port ${port}: ${why[error.code ?? ""] ?? error.message}`, {
    cause: error,
  });
}
