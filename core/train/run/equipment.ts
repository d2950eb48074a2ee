import type { Container } from "../../di/mod.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { CACHE } from "../../interfaces/cache.ts";
import { DATASET, type Dataset } from "../../interfaces/dataset.ts";
import type { Stage } from "../../interfaces/method.ts";
import { PACE, type Pace } from "../../interfaces/pace.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Ranks } from "../ranks/ranks.ts";
import { Evaluation } from "../sampling/evaluation.ts";
import type { Traces } from "../update/traces.ts";
import { Trainer } from "../update/trainer.ts";
import type { RunRequest } from "./request.ts";

/** What the equipment of a run is told about it. */
export interface EquipmentRequest extends Pick<RunRequest, "resolved" | "cache"> {
  readonly ranks: Ranks;
  readonly bus: EventBus;
  readonly pace: Pace;
  /** The stage that is on. */
  readonly stage: () => Stage;
}

/** A device with the plugins that use it. */
export interface Devices {
  readonly backend: Backend;
  readonly container: Container;
}

/** Everything of a run that lives on a device. After the loss of it, all is made anew. */
export class Equipment {
  readonly #request: EquipmentRequest;
  /** The processes that share the run. */
  readonly ranks: Ranks;
  #devices!: Devices;
  #trainer!: Trainer;
  #evaluation!: Evaluation;

  constructor(request: EquipmentRequest, devices: Devices, traces: Traces) {
    this.#request = request;
    this.ranks = request.ranks;
    this.equip(devices, traces);
  }

  /** Makes all that a run needs on a device; what it had before must be released. */
  equip(devices: Devices, traces: Traces): void {
    const { resolved, cache, bus, pace, stage } = this.#request;
    const { settings } = resolved;
    const { backend, container } = devices;
    this.#devices = devices;
    container.value(PACE, pace, "the run");
    if (cache) container.value(CACHE, cache, "the run");
    this.#trainer = new Trainer(container, backend, this.dataset, bus, settings, { traces, ranks: this.ranks });
    this.#evaluation = new Evaluation(container, backend, this.#trainer, bus, stage, settings.drawBatch);
  }

  get backend(): Backend {
    return this.#devices.backend;
  }
  get container(): Container {
    return this.#devices.container;
  }
  get dataset(): Dataset {
    return this.container.get(DATASET);
  }
  get trainer(): Trainer {
    return this.#trainer;
  }
  get evaluation(): Evaluation {
    return this.#evaluation;
  }

  /** Frees what is on the device; the device itself is its owner's to close. */
  async release(): Promise<void> {
    this.#evaluation.dispose();
    this.#trainer.dispose();
    await this.container.dispose();
  }
}
