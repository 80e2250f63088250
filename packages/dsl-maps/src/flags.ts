/** For updates: create or replace. */
export const BPF_ANY = 0;
/** For updates: create only. -EEXIST when the key is there. */
export const BPF_NOEXIST = 1;
/** For updates: replace only, -ENOENT when the key is not there. For {@link mapPush}: the oldest value gives way. */
export const BPF_EXIST = 2;
/** For updates: hold the spin lock that the value has; -EINVAL when it has none. Linux 5.1. */
export const BPF_F_LOCK = 4;

/** For ring buffers: wake no reader up. */
export const BPF_RB_NO_WAKEUP = 1;
/** For ring buffers: wake readers up even when they have not read what was there before. */
export const BPF_RB_FORCE_WAKEUP = 2;

/** For perf_event_arrays: the buffer of the CPU that the program runs on. */
export const BPF_F_CURRENT_CPU = 0xffff_ffff;
