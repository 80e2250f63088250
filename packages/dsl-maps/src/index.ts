export { BPF_ANY, BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST, type MapRef, mapLookup, mapUpdate } from './maps.ts';
