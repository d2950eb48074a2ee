/** `value` with some members replaced. All others stay its own, whatever its class, and methods run on the original. */
export const overlaid = <T extends object>(value: T, over: Partial<T>): T =>
  new Proxy(value, {
    get(target, key) {
      if (Object.hasOwn(over, key)) return over[key as keyof T];
      const member = Reflect.get(target, key);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
