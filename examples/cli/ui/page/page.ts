/** The page of runs: what the server tells, shown. */
import { App } from "./app.ts";
import { html, render } from "./preact.ts";
import { follow } from "./store.ts";

const place = document.getElementById("page")!;
place.replaceChildren();
follow((state) => render(html`<${App} ...${state} />`, place));
