/** The worker that draws digits: weights come from the folder of this file. */
import type { Backend } from "../../../core/mod.ts";
import { openBest } from "./device.ts";
import type { DeviceReport, Role, Way } from "./messages.ts";
import { DrawnRole, type Fetched, unpackWeights } from "./roles.ts";
import { inTurn, type Line, serve, tell } from "./serve.ts";

let wish: Way | undefined;
let backend: Backend | undefined;
/** Ways that were lost while they were used. */
const failed = new Map<Way, string>();
const fetched = new Map<Role, Promise<Fetched>>();
let roles = new Map<Role, Promise<DrawnRole>>();
let report: DeviceReport | undefined;

const line: Line = { last: Promise.resolve() };

serve({
  open: inTurn(open, line),
  load: inTurn((role) => unlessLost(async () => (await roleOf(role)).report), line),
  draw: inTurn((request) => unlessLost(async () => (await roleOf(request.role)).draw(request)), line),
});

async function open(wished?: Way): Promise<DeviceReport> {
  if (wished) failed.delete(wished);
  wish = wished;
  await reopen();
  return report!;
}

async function reopen(): Promise<void> {
  const before = backend;
  roles = new Map();
  backend = undefined;
  await before?.close();
  ({ backend, report } = await openBest(wish, failed, () => {}));
  // For the console: `onestep.device.destroy()` shows what this page does when it loses the GPU.
  Object.assign(globalThis, { onestep: backend });
}

/** Does it again on the next best way, and says so, where the device is lost on the way. */
async function unlessLost<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code !== "E_DEVICE_LOST" || !report) throw error;
      failed.set(report.way, message);
      await reopen();
      tell({ kind: "device", report, lost: message });
    }
  }
}

function roleOf(role: Role): Promise<DrawnRole> {
  if (!backend) throw new Error("no device is open");
  const on = backend;
  let placed = roles.get(role);
  if (!placed) {
    placed = weightsOf(role).then((weights) => DrawnRole.open(on, weights));
    roles.set(role, placed);
    const those = roles;
    placed.catch(() => those.delete(role));
  }
  return placed;
}

function weightsOf(role: Role): Promise<Fetched> {
  let weights = fetched.get(role);
  if (!weights) {
    weights = fetchWeights(role);
    fetched.set(role, weights);
    // Another try may find the server again.
    weights.catch(() => fetched.delete(role));
  }
  return weights;
}

async function fetchWeights(role: Role): Promise<Fetched> {
  const file = `weights/${role}.safetensors.gz`;
  const response = await fetch(new URL(file, location.href));
  if (!response.ok || !response.body)
    throw new Error(`Cannot fetch ${file}: the server answers ${response.status}; the whole folder should be on it`);
  const total = Number(response.headers.get("Content-Length") ?? 0);
  const parts: Uint8Array[] = [];
  let done = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); part.value; part = await reader.read()) {
    parts.push(part.value);
    done += part.value.length;
    tell({ kind: "fetched", role, done, total });
  }
  const whole = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return unpackWeights(whole, file);
}
