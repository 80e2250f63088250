export {
  type FentryInfo,
  fentrySectionName,
  fexitSectionName,
  fmodRetSectionName,
  makeFentryProgramInfo,
  makeFexitProgramInfo,
  makeFmodRetProgramInfo,
} from './info.ts';
export { type ArgSave, argOffset, prologue } from './prologue.ts';
