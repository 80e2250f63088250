import { readFileSync } from 'node:fs';

/** The name of an address of the kernel, `vfs_unlink+0x10`; digits where there is none. */
export type Symbols = (address: bigint) => string;

/** The symbols of the kernel as they are when the first is asked for: those of programs are there once they are loaded. */
export function kernelSymbols(): Symbols {
  let symbols: Symbols | undefined;
  return (address) => {
    symbols ??= parseSymbols(readFileSync('/proc/kallsyms', 'latin1'));
    return symbols(address);
  };
}

/** The symbols of a text such as /proc/kallsyms: functions only. All are at 0 for those who may not know (kptr_restrict). */
export function parseSymbols(kallsyms: string): Symbols {
  const symbols: (readonly [address: bigint, name: string])[] = [];
  for (const [, address, name = ''] of kallsyms.matchAll(/^0*([1-9a-f][0-9a-f]*) [tTwW] (\S+)/gm))
    symbols.push([BigInt(`0x${address}`), name]);
  symbols.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return (address) => {
    let [low, high] = [0, symbols.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((symbols[middle]?.[0] ?? 0n) <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = symbols[low - 1];
    return symbol ? `${symbol[1]}+0x${(address - symbol[0]).toString(16)}` : `0x${address.toString(16)}`;
  };
}
