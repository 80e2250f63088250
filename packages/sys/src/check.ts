/** The kernel's limit of BPF_OBJ_NAME_LEN, less the NUL. */
const NAME_MAX = 15;

/** A u32 for an attr: numbers are never truncated on the way to the kernel. */
export function u32(what: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value;
  throw new RangeError(`${what} is ${value}; it must be an integer in 0..4294967295`);
}

/**
 * The number of a name of the user API, or a number as it is, for what a newer kernel has. Types refuse an unknown name;
 * this is for JavaScript.
 */
export function numberOf<Name extends string>(
  table: Readonly<Record<Name, number>>,
  name: Name | number,
  what: string,
): number {
  if (typeof name === 'number') return u32(what, name);
  if (Object.hasOwn(table, name)) return table[name];
  throw new RangeError(`'${name}' is not a ${what}; they are ${Object.keys(table).join(', ')}`);
}

/** Flags by name as the bits of a number. */
export function flagsOf<Name extends string>(
  table: Readonly<Record<Name, number>>,
  names: readonly Name[] | undefined,
  what: string,
): number {
  if (names === undefined) return 0;
  if (!Array.isArray(names)) throw new TypeError(`the ${what}s must be a list of names, not ${describe(names)}`);
  return names.reduce((bits, name) => bits | numberOf(table, name, what), 0) >>> 0;
}

/** The name of a number of the user API, or the number, when a newer kernel has given it. */
export function nameOf<Name extends string>(table: Readonly<Record<Name, number>>, number: number): Name | number {
  return (Object.keys(table) as Name[]).find((name) => table[name] === number) ?? number;
}

/** An object name that the kernel takes. */
export function objectName(name: string): string {
  if (name.length <= NAME_MAX && /^[A-Za-z0-9_.]*$/.test(name)) return name;
  throw new RangeError(`the name '${name}' is not one that the kernel takes: at most ${NAME_MAX} of A-Z a-z 0-9 _ .`);
}

/**
 * Types refuse what is no Uint8Array; this is for JavaScript, where a Uint16Array has a `length` too, of other things. Not
 * by `instanceof`, which one of another realm would fail (`node:vm`, Jest).
 *
 * @throws TypeError
 */
export function checkBytes(what: string, bytes: Uint8Array): void {
  if (bytes?.BYTES_PER_ELEMENT === 1) return;
  throw new TypeError(`${what} must be a Uint8Array, not ${describe(bytes)}`);
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'an object') : String(value);
}
