export { ArrayMap, HashMap } from './bpf-map.ts';
export { MapError } from './error.ts';
export { type ArrayMapOptions, createMap, type ExpectedMap, type HashMapOptions, openMap } from './maps.ts';
