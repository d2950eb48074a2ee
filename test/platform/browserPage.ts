// What browser.test.ts runs in a page: a model that is fetched, drawn with on wasm.
import { drawnPictures } from "./tinyPictures.ts";

const send = (result: unknown) => fetch("/result", { method: "POST", body: JSON.stringify(result) });
try {
  const models = await (await fetch("/models.json")).json();
  const decoded = Object.entries<string>(models).map(([path, text]): [string, Uint8Array] => [
    path,
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)),
  ]);
  await send({ isolated: crossOriginIsolated, ...(await drawnPictures(Object.fromEntries(decoded))) });
} catch (error) {
  await send({ error: String((error as Error).stack ?? error) });
}
