import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../../../backends/host/cacheFolder.ts";
import { type LocalServer, newToken } from "../../../backends/host/localServer.ts";
import { failure } from "../../../core/errors.ts";

/** The port that is taken where none is given; where it is in use, any. */
const USUAL = 7417;

/**
 * Opens a server on the port that was asked for, or the usual one. The token stays the same for this user, so that a page which is
 * open finds a server that was started again.
 * @throws E_USAGE where the text is no port, E_PORT where it can't be used
 */
export async function openOn(
  text: string | undefined,
  open: (place: { readonly port: number; readonly token: string }) => Promise<LocalServer>,
): Promise<LocalServer> {
  const port = portOf(text);
  const token = await ownToken();
  if (port !== undefined) return open({ port, token });
  return open({ port: USUAL, token }).catch((error) => {
    if ((error as { code?: string }).code !== "E_PORT") throw error;
    return open({ port: 0, token });
  });
}

/** @throws E_USAGE */
export function portOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535))
    throw failure("E_USAGE", `Cannot listen on port ${text}: it should be a number from 0 to 65535`);
  return port;
}

const TOKEN = /^[0-9a-f]{48}$/;

/** The token of this user, in a file that no other user reads; a new one where none can be kept. */
async function ownToken(): Promise<string> {
  try {
    const file = join(cacheFolder(), "page-token");
    const kept = await readFile(file, "utf8").catch(() => "");
    if (TOKEN.test(kept)) return kept;
    const token = newToken();
    await writeFile(file, token, { mode: 0o600 });
    return token;
  } catch {
    return newToken();
  }
}
