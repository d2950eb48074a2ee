/** The page: a worker draws digits, another trains, and nothing is computed here. */
import { type DeviceReport, type Way, ways } from "../work/messages.ts";
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
  await opened(report);
});

digits.listen((news) => {
  if (news.kind === "device") runs.show(news.report, { lost: news.lost });
  if (news.kind === "fetched" && news.role === "generator")
    say(element("reading"), `fetching the generator, ${megabytes(news.done)}`);
});

let ring: Caller | undefined;

/** The worker that trains, on a device of its own that is opened anew: the one before may be lost. */
async function ringWorker(): Promise<Caller> {
  ring ??= startCaller("ring.js");
  await ring.call("open", wish);
  return ring;
}

/** What can be done on a way that is open. In plain JavaScript a digit takes seconds; a race would take half an hour. */
async function opened({ way }: DeviceReport): Promise<void> {
  const isSlow = way === "reference";
  for (const id of ["drift", "race-go", "train-start"]) element<HTMLButtonElement>(id).disabled = isSlow;
  for (const id of ["race-reading", "train-reading"])
    if (isSlow) say(element(id), "too slow in plain JavaScript", true);
    else if (element(id).classList.contains("wrong")) say(element(id), "");
  writing.begin(await digits.call("load", "generator"), isSlow);
}

async function begin(wished: Way | undefined): Promise<void> {
  try {
    const report = await digits.call("open", wished);
    runs.show(report, { wish: wished });
    await opened(report);
  } catch (error) {
    element("dot").className = "dot off";
    element("pill-text").textContent = "nothing computes here";
    say(element("reading"), wordsOf(error), true);
  }
}

void begin(wish);
