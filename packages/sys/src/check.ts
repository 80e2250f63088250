/** The kernel's limit of BPF_OBJ_NAME_LEN, less the NUL. */
const NAME_MAX = 15;

/** A u32 for an attr: numbers are never truncated on the way to the kernel. */
export function u32(what: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value;
  throw new RangeError(`${what} is ${value}; it must be an integer in 0..4294967295`);
}

/** The number of a name of the user API. Types refuse an unknown one; this is for JavaScript. */
export function numberOf<Name extends string>(table: Readonly<Record<Name, number>>, name: Name, what: string): number {
  if (Object.hasOwn(table, name)) return table[name];
  throw new RangeError(`'${name}' is not a ${what}; they are ${Object.keys(table).join(', ')}`);
}

/** The bytes of an object name, for the kernel's char[16]. */
export function objectName(name: string): Uint8Array {
  if (name.length <= NAME_MAX && /^[A-Za-z0-9_.]*$/.test(name)) return new TextEncoder().encode(name);
  throw new RangeError(`the name '${name}' is not one that the kernel takes: at most ${NAME_MAX} of A-Z a-z 0-9 _ .`);
}
