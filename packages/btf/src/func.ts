import { BtfError } from './error.ts';
import { resolved, sizeOf } from './layout.ts';
import { type Store, typeOf } from './store.ts';

/** A value that a function takes or returns, and where tracing programs find it. */
export interface BtfArgument {
  /** Empty when the prototype does not name it. */
  readonly name: string;
  readonly typeId: number;
  /** Which u64 of the context array it starts in: not its number when a struct before it is passed by value. */
  readonly slot: number;
  /** Slots that it takes: one, or for a struct passed by value one for every 8 bytes. */
  readonly slots: number;
  /** Bytes. The upper bits of the slot of a smaller value are undefined. */
  readonly size: number;
  /** Whether a smaller value is to be sign-extended. */
  readonly signed: boolean;
  /** What kind of value it is, behind typedefs and qualifiers. */
  readonly kind: 'int' | 'enum' | 'enum64' | 'ptr' | 'struct' | 'union' | 'float';
}

/** A function's prototype, as the context of fentry, fexit and tp_btf programs lays it out. */
export interface BtfFunction {
  readonly id: number;
  readonly name: string;
  readonly params: readonly BtfArgument[];
  /** What it returns, in the slot after all arguments; undefined for void. */
  readonly returns: BtfArgument | undefined;
  /** It takes more arguments than it names, and cannot be traced. */
  readonly variadic: boolean;
}

/** The prototype of a func, or of a func_proto that a typedef leads to. @throws BtfError */
export function functionOf(store: Store, id: number): BtfFunction {
  const { name } = typeOf(store, id);
  let type = resolved(store, id);
  if (type.kind === 'func') type = resolved(store, type.typeId);
  else if (type.kind === 'ptr') type = resolved(store, type.typeId);
  if (type.kind !== 'func_proto')
    throw new BtfError('NOT_A_FUNCTION', `type ${id} '${name}' is a ${type.kind}, not a function`);
  const params: BtfArgument[] = [];
  let slot = 0;
  let variadic = false;
  for (const param of type.params) {
    if (param.typeId === 0) {
      variadic = true;
      continue;
    }
    const argument = argumentOf(store, param.name, param.typeId, slot);
    params.push(argument);
    slot += argument.slots;
  }
  const returns =
    resolved(store, type.returnTypeId).kind === 'void' ? undefined : argumentOf(store, '', type.returnTypeId, slot);
  return { id, name, params, returns, variadic };
}

function argumentOf(store: Store, name: string, typeId: number, slot: number): BtfArgument {
  const type = resolved(store, typeId);
  const size = sizeOf(store, typeId);
  switch (type.kind) {
    case 'int':
      return {
        name,
        typeId,
        slot,
        slots: Math.ceil(size / 8),
        size,
        signed: type.encoding === 'signed',
        kind: type.kind,
      };
    case 'enum':
    case 'enum64':
      return { name, typeId, slot, slots: 1, size, signed: type.signed, kind: type.kind };
    case 'ptr':
    case 'float':
      return { name, typeId, slot, slots: 1, size, signed: false, kind: type.kind };
    case 'struct':
    case 'union':
      return { name, typeId, slot, slots: Math.ceil(size / 8), size, signed: false, kind: type.kind };
    default:
      throw new BtfError('NOT_A_FUNCTION', `'${name}' is a ${type.kind}, which no function takes`);
  }
}
