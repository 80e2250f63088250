/** A command line, and what it does. */
export type Example = readonly [line: string, does: string];

/** How each command is used, by its words after `bpf`. A test parses every line, and finds commands that have none. */
export const examples: Readonly<Record<string, readonly Example[]>> = {
  '': [
    ['bpf iter task', 'every thread of the kernel'],
    ['bpf prog list --json', 'the programs that are loaded, one JSON object a line'],
    ['bpf doctor', 'why BPF does not work here, and what to do'],
  ],
  iter: [
    ['bpf iter list', 'which iterators this kernel has'],
    ['bpf iter task --fields pid,comm,mm.total_vm,real_parent.comm', 'fields by their paths, through pointers'],
    ['bpf iter tcp --json', 'TCP sockets, one JSON object a line'],
    ['bpf iter task_file --pid 1', 'the open files of a process'],
    ['bpf iter cgroup --cgroup /sys/fs/cgroup', 'the cgroups beneath one'],
  ],
  trace: [
    ['bpf trace vfs_unlink', 'each call, with its arguments'],
    [
      'bpf trace do_sys_openat2 --args dfd,filename,how.flags --ret',
      'some arguments, fields behind them, and the result',
    ],
    ["bpf trace 'vfs_*' --count --duration 5", 'how often each was called, in five seconds'],
    ['bpf trace vfs_read --latency --comm node', 'how long calls take, of threads with this name'],
  ],
  asm: [
    ['bpf asm prog.s', 'hexadecimal digits, one instruction slot a line'],
    ['bpf asm prog.s --format c', 'an array for a C program'],
    ['bpf asm - --format raw', 'standard input to bytes'],
  ],
  disasm: [
    ['bpf disasm prog.hex', 'digits to text'],
    ['bpf disasm --input raw --format json', 'bytes of standard input to JSON'],
  ],
  btf: [['bpf btf type task_struct', 'how a struct of this kernel is laid out']],
  'btf dump': [
    ['bpf btf dump', "the kernel's types as C: a vmlinux.h"],
    ['bpf btf dump --root task_struct', 'only this type and what it needs'],
    ['bpf btf dump --file /sys/kernel/btf/nf_tables --format raw', 'the types of a module, as bpftool prints them'],
  ],
  'btf type': [
    ['bpf btf type list_head', 'its members, their offsets and sizes in bytes'],
    ['bpf btf type struct sock --file prog.o', 'a type of an object file'],
  ],
  'btf func': [['bpf btf func vfs_read', 'its prototype, and where fentry programs find its arguments']],
  'btf list': [
    ["bpf btf list 'bpf_iter_*' --kind func", 'functions whose names match'],
    ['bpf btf list sock', 'whatever has sock in its name'],
  ],
  prog: [['bpf prog list', 'the programs that are loaded']],
  'prog list': [['bpf prog list --json', 'one JSON object a line']],
  'prog show': [
    ['bpf prog show 42', 'by id'],
    ['bpf prog show /sys/fs/bpf/prog', 'by the path of its pin'],
  ],
  'prog dump': [
    ['bpf prog dump 42', 'instructions, as the kernel rewrote them'],
    ['bpf prog dump 42 --format opcodes', 'with their bytes'],
    ['bpf prog dump 42 --format jited', 'machine code, as hexadecimal digits'],
  ],
  'prog run': [
    ['bpf prog run my_filter --data packet.bin', 'what it returns for this packet'],
    ['bpf prog run 42 --repeat 1000', 'the average time in nanoseconds, too'],
  ],
  'prog load': [
    ['bpf prog load prog.s /sys/fs/bpf/prog --type xdp', 'assemble, load and pin'],
    [
      'bpf prog load count.s /sys/fs/bpf/count --type raw_tracepoint --attach-to sys_enter',
      'a program for a raw tracepoint',
    ],
  ],
  'prog pin': [['bpf prog pin 42 /sys/fs/bpf/prog', 'keep it when nothing else holds it']],
  map: [['bpf map dump counts', 'the entries of the map with this name']],
  'map list': [['bpf map list', 'the maps that there are']],
  'map show': [['bpf map show counts', 'type, sizes and memory']],
  'map dump': [
    ['bpf map dump counts', "entries by the map's own types, else as digits"],
    ['bpf map dump /sys/fs/bpf/counts --json', 'of a pinned map, one JSON object a line'],
  ],
  'map get': [['bpf map get counts 1', 'the value of a key']],
  'map set': [
    ['bpf map set counts 1 \'{"calls":5,"comm":"init"}\'', 'a map that carries types'],
    ["bpf map set /sys/fs/bpf/bytes 01000000 '0a 0b'", 'one that does not: bytes'],
  ],
  'map delete': [['bpf map delete counts 1', 'remove the entry of a key']],
  'map create': [
    ['bpf map create /sys/fs/bpf/bytes --type hash --key 4 --value 2 --entries 16', 'a hash map'],
    ['bpf map create /sys/fs/bpf/ring --type ringbuf --key 0 --value 0 --entries 4096', 'a ring buffer of 4096 bytes'],
  ],
  'map pin': [['bpf map pin 42 /sys/fs/bpf/counts', 'keep it when nothing else holds it']],
  'map watch': [
    ['bpf map watch counts', 'what changes, looked at each second, until Ctrl-C'],
    ['bpf map watch counts --interval 0.1 --limit 10', 'ten changes, looked at more often'],
  ],
  events: [
    ['bpf events ring', 'until Ctrl-C'],
    ['bpf events ring --limit 10 --json', 'ten events, one JSON object a line'],
  ],
  link: [['bpf link list', 'what programs are attached to']],
  'link list': [['bpf link list --json', 'one JSON object a line']],
  'link show': [['bpf link show 7', 'what the kernel knows of it']],
  'link detach': [['bpf link detach 7', 'detach its program, whoever holds the link']],
  'link pin': [['bpf link pin 7 /sys/fs/bpf/link', 'keep it attached when its owner ends']],
  features: [
    ['bpf features', 'program types, map types, attachments and more, each tried'],
    ['bpf features --json', 'one JSON object a line'],
  ],
  doctor: [['bpf doctor', 'what is wrong here, and what to do']],
  completion: [
    ['bpf completion bash > /etc/bash_completion.d/bpf', 'for every user of bash'],
    ['bpf completion zsh > ~/.zfunc/_bpf', 'for zsh, with ~/.zfunc in fpath'],
    ['bpf completion fish > ~/.config/fish/completions/bpf.fish', 'for fish'],
  ],
};
