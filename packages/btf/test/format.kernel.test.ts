import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { btf as btfFeature } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { formatC, formatPrototype, formatRaw, formatType } from '../src/format/index.ts';
import { parseBtf } from '../src/index.ts';

kernelTest(btfFeature, 'writes all types of the running kernel', () => {
  const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  let types = 0;
  let lineStart = true;
  for (const chunk of formatRaw(btf))
    for (const byte of chunk) {
      if (lineStart && byte === 0x5b) types++;
      lineStart = byte === 0x0a;
    }
  assert.equal(types, btf.count);
});

kernelTest(btfFeature, 'writes a type, its C and a prototype of the running kernel', () => {
  const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  const task = btf.find('struct', 'task_struct') ?? 0;
  assert.match(
    formatType(btf, task),
    new RegExp(`\\t/\\* size: ${btf.sizeOf(task)}, cachelines: \\d+, members: \\d+ \\*/\\n};$`),
  );
  assert.match(formatC(btf, { roots: [task] }), /\nstruct task_struct \{\n\tstruct thread_info thread_info;\n/);
  // The user API fixes these.
  assert.match(
    formatType(btf, btf.find('struct', 'sockaddr_in') ?? 0),
    /__be16 sin_port; +\/\* +2 +2 \*\/\n\tstruct in_addr sin_addr; +\/\* +4 +4 \*\/\n/,
  );
  assert.match(
    formatPrototype(btf, btf.find('func', 'vfs_read') ?? 0),
    /^ssize_t vfs_read\(struct file \*\w+, char .*\*\w+, size_t \w+, loff_t \*\w+\)$/,
  );
});
