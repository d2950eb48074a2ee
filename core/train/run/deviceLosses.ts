import { failure, isDeviceLost, type OnestepError } from "../../errors.ts";
import type { Backend, DeviceInfo } from "../../interfaces/backend.ts";

/** So many losses without a checkpoint in between are survived; one more ends the run. */
export const MOST_LOSSES = 3;

/** Opens the device of a run again after a loss, as long as that helps. */
export class DeviceLosses {
  readonly #reopen: (() => Promise<Backend>) | undefined;
  /** Those since the run had another newest checkpoint. */
  #count = 0;
  #newest: string | undefined;

  constructor(reopen: (() => Promise<Backend>) | undefined) {
    this.#reopen = reopen;
  }

  /**
   * Does work on the device; when the device is lost in it, prepares by `goOn` and does it again.
   * @param newest the checkpoint to go on from, if there is one
   * @throws what the work does but for losses that are survived
   */
  async through<T>(
    work: () => Promise<T>,
    newest: () => string | undefined,
    goOn: (lost: OnestepError) => Promise<void>,
  ): Promise<T> {
    let lost: OnestepError | undefined;
    for (;;) {
      try {
        if (lost) await goOn(lost);
        return await work();
      } catch (error) {
        lost = this.#survive(error, newest());
      }
    }
  }

  #survive(error: unknown, newest: string | undefined): OnestepError {
    if (!isDeviceLost(error) || !this.#reopen) throw error;
    if (newest !== this.#newest) this.#count = 0;
    this.#newest = newest;
    if (++this.#count <= MOST_LOSSES) return error;
    const times = `that is the ${this.#count}th time without a checkpoint in between`;
    throw failure("E_DEVICE_LOST", `${error.message}; ${times}`, { cause: error });
  }

  /** @throws E_DEVICE_LOST where another device opens, or none: on another one, the run would end in other numbers */
  async reopen(lost: OnestepError, before: DeviceInfo): Promise<Backend> {
    let backend: Backend;
    try {
      backend = await this.#reopen!();
    } catch (cause) {
      if (isDeviceLost(cause)) throw cause;
      const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
      throw failure("E_DEVICE_LOST", `${lost.message}, and it can't be opened again: ${reason}`, { cause: lost });
    }
    const { info } = backend;
    if (info.backend === before.backend && info.name === before.name) return backend;
    throw failure(
      "E_DEVICE_LOST",
      `${lost.message}, and what opens in its place is another one, ${info.backend}: ${info.name}`,
      { cause: lost },
    );
  }
}
