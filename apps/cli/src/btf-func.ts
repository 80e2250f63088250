import { readFileSync } from 'node:fs';
import type { Btf, BtfArgument, BtfFunction } from '@bpf/btf';
import { formatDeclaration, formatPrototype } from '@bpf/btf/format';
import { type BtfOptions, isOfKernel, withBtf } from './btf-file.ts';
import { requireFunction } from './btf-names.ts';
import { jsonLine, print } from './output.ts';

/** `bpf btf func` */
export async function showFunction(name: string, options: BtfOptions & { readonly json?: true }): Promise<void> {
  await withBtf(options, (btf) => {
    const id = requireFunction(btf, name);
    const func = btf.func(id);
    const traceable = isOfKernel(options) ? traceableFunctions() : undefined;
    if (options.json) return print([jsonLine(functionJson(btf, func, fentry(func, traceable)))]);
    const lines = [
      `${formatPrototype(btf, id)};`,
      '',
      ...slotLines(btf, func),
      '',
      `fentry: ${fentry(func, traceable)}`,
    ];
    return print(lines.map((line) => `${line}\n`));
  });
}

function functionJson(btf: Btf, { id, name, params, returns }: BtfFunction, verdict: string): Record<string, unknown> {
  const value = ({ typeId, slot, slots, size, signed }: BtfArgument) => ({
    type_id: typeId,
    type: formatDeclaration(btf, typeId, ''),
    slot,
    slots,
    size,
    signed,
  });
  return {
    id,
    name,
    prototype: `${formatPrototype(btf, id)};`,
    params: params.map((param) => ({ name: param.name, ...value(param) })),
    ...(returns && { returns: value(returns) }),
    fentry: verdict,
  };
}

function slotLines(btf: Btf, { params, returns }: BtfFunction): string[] {
  const line = (argument: BtfArgument, what: string): string => {
    const last = argument.slot + argument.slots - 1;
    const slot = argument.slots > 1 ? `${argument.slot}-${last}` : String(argument.slot);
    return `slot ${slot.padEnd(5)} ${what}${partOf(argument)}`;
  };
  return [
    ...params.map((param) => line(param, formatDeclaration(btf, param.typeId, param.name))),
    returns ? line(returns, `returns ${formatDeclaration(btf, returns.typeId, '')}`) : 'returns nothing',
  ];
}

/** What to know of a value that does not fill its slots. */
function partOf({ kind, size, slots, signed }: BtfArgument): string {
  if (kind === 'struct' || kind === 'union') return ` (${size} bytes, by value)`;
  return size < slots * 8 ? ` (the low ${size * 8} bits${signed ? ', sign-extend' : ''})` : '';
}

/** MAX_BPF_FUNC_ARGS of the kernel. */
const MAX_SLOTS = 12;
/** What btf_distill_func_proto() of the kernel takes by value. */
const MAX_BY_VALUE_BYTES = 16;

/** Whether fentry and fexit programs can attach: a sentence. `traceable` are the functions that ftrace lists, if known. */
export function fentry(func: BtfFunction, traceable: ReadonlySet<string> | undefined): string {
  const no = obstacle(func);
  if (no) return `cannot attach: ${no}.`;
  if (!traceable)
    return `unknown: its prototype permits it, but whether the kernel can trace it is in ${LISTS[0]}, which was not read.`;
  if (!traceable.has(func.name))
    return `cannot attach: the kernel does not list it in ${LISTS[0]} (it is inlined, or must not be traced).`;
  return 'can attach.';
}

function obstacle({ params, returns, variadic }: BtfFunction): string | undefined {
  const values = returns ? [...params, returns] : params;
  const slots = params.reduce((sum, param) => sum + param.slots, 0);
  const large = params.find(({ size }) => size > MAX_BY_VALUE_BYTES);
  if (variadic) return 'it takes a variable number of arguments';
  if (slots > MAX_SLOTS) return `its arguments take ${slots} slots, and the limit is ${MAX_SLOTS}`;
  if (large)
    return `${large.name || 'an argument'} is ${large.size} bytes by value, and the limit is ${MAX_BY_VALUE_BYTES}`;
  if (returns?.kind === 'struct' || returns?.kind === 'union') return `it returns a ${returns.kind} by value`;
  if (values.some(({ kind }) => kind === 'float')) return 'it takes or returns a floating-point number';
  return undefined;
}

const LISTS = [
  '/sys/kernel/tracing/available_filter_functions',
  '/sys/kernel/debug/tracing/available_filter_functions',
] as const;

/** The functions that ftrace can trace, if it says so to this user. Those of modules have ` [module]` behind. */
function traceableFunctions(): ReadonlySet<string> | undefined {
  for (const file of LISTS) {
    try {
      const names = readFileSync(file, 'latin1').split('\n');
      return new Set(names.map((line) => line.split(/\s/, 1)[0] ?? ''));
    } catch {
      // Not mounted, or not for this user.
    }
  }
  return undefined;
}
