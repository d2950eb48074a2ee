import type { Stage } from "../../interfaces/method.ts";
import type { Monitor } from "../../interfaces/monitor.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Scalars } from "../loop/events.ts";
import type { HealthProbe } from "./probe.ts";
import { type HealthWarning, Watchers } from "./warnings.ts";

/** The health of a run: takes readings, leads them past the monitors, and tells the bus what they find. */
export class Health {
  readonly #bus: EventBus;
  readonly #watchers: Watchers;
  /** By monitor, stage and step: one that comes again, after the run has gone back, is one. */
  readonly #warnings = new Map<string, HealthWarning>();
  /** Scalars of the last update of each role of the stage. */
  readonly #last = new Map<string, Scalars>();

  /** What was found between two readings. */
  #noted: Readonly<Record<string, number>> = {};

  constructor(bus: EventBus, monitors: readonly Monitor[]) {
    this.#bus = bus;
    this.#watchers = new Watchers(monitors);
    bus.on("role/updated", ({ role, losses }) => void this.#last.set(role, losses));
    // The scalars of before are of updates that the run has taken back, or lie on a device that is no more.
    for (const type of ["run/rolled-back", "device/lost"] as const) bus.on(type, () => this.#last.clear());
  }

  /** All that have begun, in order. */
  get warnings(): readonly HealthWarning[] {
    return [...this.#warnings.values()];
  }

  /** Numbers for the next reading. */
  note(values: Readonly<Record<string, number>>): void {
    this.#noted = { ...this.#noted, ...values };
  }

  /** Takes a reading where one is due before a step; it waits for the device then. */
  async before({ name: stage, steps }: Stage, step: number, probe: HealthProbe | undefined): Promise<void> {
    if (!probe || step % probe.every !== 0) return;
    if (step === 0) {
      this.#last.clear();
      this.#noted = {};
    }
    const scalars = [...this.#last].flatMap(([role, each]) =>
      Object.entries(each).map(([name, scalar]) => [`${role}/${name}`, scalar] as const),
    );
    const read = await Promise.all(scalars.map(async ([name, scalar]) => [name, await scalar.read()] as const));
    const values: Record<string, number> = { ...Object.fromEntries(read), ...(await probe.look()), ...this.#noted };
    this.#noted = {};
    if (Object.keys(values).length === 0) return;
    const reading = { stage, step, steps, values };
    this.#bus.emit("health/read", reading);
    const { warnings, eased, faults } = this.#watchers.take(reading);
    for (const warning of warnings) {
      this.#warnings.set(`${warning.monitor} ${stage} ${warning.step}`, warning);
      this.#bus.emit("health/warned", warning);
    }
    for (const each of eased) this.#bus.emit("health/eased", each);
    for (const { message } of faults) this.#bus.emit("run/warning", { source: "health", message });
  }
}
