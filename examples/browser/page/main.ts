/** The page: a worker draws digits, another trains, and nothing is computed here. */
import { type Way, ways } from "../work/messages.ts";
import { type Caller, startCaller } from "./caller.ts";
import { element, megabytes, say, wordsOf } from "./elements.ts";
import { Race } from "./race.ts";
import { RingTraining } from "./ring.ts";
import { Runs } from "./runs.ts";
import { Writing } from "./write.ts";

const asked = new URLSearchParams(location.search).get("way");
/** `?way=thread` in the address, or the choice in the page. */
let wish = ways.find((way) => way === asked);

const digits = startCaller("digits.js");
const writing = new Writing(digits);
new Race(digits);
new RingTraining(ringWorker);
const runs = new Runs(async (way) => {
  wish = way;
  writing.drift(false);
  const report = await digits.call("open", way);
  runs.show(report, { wish: way });
  writing.begin(await digits.call("load", "generator"), report.way === "reference");
  ringIsOpen = false;
});

digits.listen((news) => {
  if (news.kind === "device") runs.show(news.report, { lost: news.lost });
  if (news.kind === "fetched" && news.role === "generator")
    say(element("reading"), `fetching the generator, ${megabytes(news.done)}`);
});

let ring: Caller | undefined;
let ringIsOpen = false;

/** The worker that trains, started and on the chosen way when it is first of use. */
async function ringWorker(): Promise<Caller> {
  ring ??= startCaller("ring.js");
  if (!ringIsOpen) await ring.call("open", wish);
  ringIsOpen = true;
  return ring;
}

async function begin(wished: Way | undefined): Promise<void> {
  try {
    const report = await digits.call("open", wished);
    runs.show(report, { wish: wished });
    writing.begin(await digits.call("load", "generator"), report.way === "reference");
  } catch (error) {
    element("dot").className = "dot off";
    element("pill-text").textContent = "nothing computes here";
    say(element("reading"), wordsOf(error), true);
  }
}

void begin(wish);
