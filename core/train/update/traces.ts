/**
 * What has been traced, by what it was traced from. A run is planned before it starts; with these it does not trace a second
 * time what the plan has measured. A trace names states and inputs and holds no memory of a device, so all devices that keep
 * numbers alike can compile it.
 */
export class Traces {
  readonly #known = new WeakMap<object, Map<string, unknown>>();

  /** What `trace` gave when `owner` was first asked for this key. */
  once<T>(owner: object, key: string, trace: () => T): T {
    const own = this.#known.get(owner) ?? new Map<string, unknown>();
    this.#known.set(owner, own);
    if (!own.has(key)) own.set(key, trace());
    return own.get(key) as T;
  }
}
