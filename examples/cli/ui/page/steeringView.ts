import type { WeightView } from "../../../../plugins/observers/view/runView.ts";
import { html, useState, type VNode } from "./preact.ts";
import { type PageRun, send } from "./store.ts";

/** Buttons and weights, for the run that this page was opened with. */
export function Steering({ run, on }: { readonly run: PageRun; readonly on: boolean }): VNode | undefined {
  const [asking, ask] = useState(false);
  const [said, say] = useState("");
  const { state } = run.head ?? {};
  const isOn = on && (state === "running" || state === "paused");
  if (!isOn) return undefined;
  const tell = async (command: object, words: string) => {
    say("");
    say((await send(command)) || words);
  };
  const button = (label: string, command: object, words: string) =>
    html`<button type="button" onClick=${() => tell(command, words)}>${label}</button>`;
  const stop = () => {
    ask(false);
    void tell({ type: "stop" }, "the run ends after this step, with a checkpoint");
  };
  return html`<section aria-labelledby="steering" class="steering"><h2 id="steering">Steer</h2>
    <div class="buttons">${
      state === "paused"
        ? button("Resume", { type: "resume" }, "the run goes on")
        : button("Pause", { type: "pause" }, "the run holds after this update")
    }
    ${button("Snapshot", { type: "checkpoint" }, "a checkpoint is written after this step")}
    ${button("Draw samples", { type: "sample" }, "samples are drawn after this step")}
    ${button("Judge", { type: "evaluate" }, "the learner is judged after this step")}
    ${
      asking
        ? html`<span class="ask" role="group" aria-label="Stop the run?"><button type="button" class="grave" onClick=${stop}>Stop the run</button><button type="button" onClick=${() => ask(false)}>Keep it</button></span>`
        : html`<button type="button" onClick=${() => ask(true)}>Stop …</button>`
    }</div>
    ${(run.weights ?? []).length > 0 && html`<details><summary>Weights of losses</summary><div class="weights">${run.weights!.map((each) => html`<${Weight} key=${each.loss} ...${each} tell=${tell} />`)}</div></details>`}
    <p class="said" role="status">${said}</p></section>`;
}

interface WeightProps extends WeightView {
  readonly tell: (command: object, words: string) => void;
}

function Weight({ loss, weight, tell }: WeightProps): VNode {
  const [text, setText] = useState<string | undefined>(undefined);
  const value = Number(text);
  const isSound = text === undefined || (text.trim() !== "" && Number.isFinite(value) && value >= 0);
  const submit = (event: Event) => {
    event.preventDefault();
    if (text === undefined || !isSound) return;
    tell({ type: "set-weight", loss, weight: value }, `the weight of ${loss} is ${value} after this step`);
    setText(undefined);
  };
  return html`<form onSubmit=${submit}><label>${loss}<input type="text" inputmode="decimal" aria-invalid=${!isSound} value=${text ?? String(weight)}
      onInput=${(event: Event) => setText((event.target as HTMLInputElement).value)} /></label>
    <button type="submit" disabled=${text === undefined || !isSound}>Set</button></form>`;
}
