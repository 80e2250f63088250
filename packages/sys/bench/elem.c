// The jobs of bench.ts in C: each prints the nanoseconds that one operation, or one entry of a batch, took.
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES = 10000, PASSES = 10 };

static uint32_t keys[ENTRIES];
static uint64_t values[ENTRIES];
static uint32_t out_keys[ENTRIES];
static uint64_t out_values[ENTRIES];

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(__NR_bpf, command, attr, sizeof(*attr));
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void elem(union bpf_attr *attr, int map, uint32_t *key, void *value)
{
	memset(attr, 0, sizeof(*attr));
	attr->map_fd = map;
	attr->key = (uintptr_t)key;
	attr->value = (uintptr_t)value;
}

static long update(int map, int i)
{
	union bpf_attr attr;
	elem(&attr, map, &keys[i], &values[i]);
	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

static long lookup(int map, int i)
{
	union bpf_attr attr;
	elem(&attr, map, &keys[i], &out_values[i]);
	return bpf(BPF_MAP_LOOKUP_ELEM, &attr);
}

static long delete(int map, int i)
{
	union bpf_attr attr;
	elem(&attr, map, &keys[i], NULL);
	return bpf(BPF_MAP_DELETE_ELEM, &attr);
}

static void fill(int map)
{
	for (int i = 0; i < ENTRIES; i++)
		if (update(map, i))
			exit(1);
}

static double each(int map, long (*job)(int, int), int refill)
{
	double time = 0;
	for (int pass = 0; pass < PASSES; pass++) {
		if (refill)
			fill(map);
		double start = now();
		for (int i = 0; i < ENTRIES; i++)
			if (job(map, i))
				exit(1);
		time += now() - start;
	}
	return time / ENTRIES / PASSES;
}

static double walk(int map)
{
	double start = now();
	int seen = 0;
	for (int pass = 0; pass < PASSES; pass++) {
		uint32_t key, next;
		union bpf_attr attr;
		elem(&attr, map, NULL, &next);
		while (!bpf(BPF_MAP_GET_NEXT_KEY, &attr)) {
			seen++;
			key = next;
			elem(&attr, map, &key, &next);
		}
	}
	return (now() - start) / seen;
}

static double lookup_batch(int map)
{
	double start = now();
	long seen = 0;
	for (int pass = 0; pass < PASSES * 10; pass++) {
		uint32_t cursor = 0;
		int first = 1;
		for (long failed = 0; !failed; first = 0) {
			union bpf_attr attr = { .batch = {
				.map_fd = map,
				.in_batch = first ? 0 : (uintptr_t)&cursor,
				.out_batch = (uintptr_t)&cursor,
				.keys = (uintptr_t)out_keys,
				.values = (uintptr_t)out_values,
				.count = ENTRIES / 2,
			} };
			failed = bpf(BPF_MAP_LOOKUP_BATCH, &attr);
			seen += attr.batch.count;
		}
	}
	return (now() - start) / seen;
}

static double update_batch(int map)
{
	double start = now();
	for (int pass = 0; pass < PASSES * 10; pass++) {
		union bpf_attr attr = { .batch = {
			.map_fd = map,
			.keys = (uintptr_t)keys,
			.values = (uintptr_t)values,
			.count = ENTRIES,
		} };
		if (bpf(BPF_MAP_UPDATE_BATCH, &attr))
			exit(1);
	}
	return (now() - start) / ENTRIES / PASSES / 10;
}

// For @bpf/maps: all of a map of 100,000, by batches of 4096.
static double iterate(void)
{
	enum { MANY = 100000, CHUNK = 4096 };
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH,
		.key_size = 4,
		.value_size = 8,
		.max_entries = MANY,
	};
	int map = bpf(BPF_MAP_CREATE, &attr);
	for (uint32_t i = 0; i < MANY; i++) {
		uint64_t value = i;
		elem(&attr, map, &i, &value);
		if (bpf(BPF_MAP_UPDATE_ELEM, &attr))
			exit(1);
	}
	double start = now();
	uint64_t sum = 0;
	long seen = 0;
	for (int pass = 0; pass < PASSES; pass++) {
		uint32_t cursor = 0;
		int first = 1;
		for (long failed = 0; !failed; first = 0) {
			union bpf_attr attr = { .batch = {
				.map_fd = map,
				.in_batch = first ? 0 : (uintptr_t)&cursor,
				.out_batch = (uintptr_t)&cursor,
				.keys = (uintptr_t)out_keys,
				.values = (uintptr_t)out_values,
				.count = CHUNK,
			} };
			failed = bpf(BPF_MAP_LOOKUP_BATCH, &attr);
			for (unsigned i = 0; i < attr.batch.count; i++)
				sum += out_keys[i] + out_values[i];
			seen += attr.batch.count;
		}
	}
	if (seen != MANY * PASSES || sum != 2ull * PASSES * MANY * (MANY - 1) / 2)
		exit(1);
	return (now() - start) / seen;
}

// For @bpf/maps: u64 values of an array that is mapped into memory, here and there.
static double mapped(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = ENTRIES,
		.map_flags = BPF_F_MMAPABLE,
	};
	int map = bpf(BPF_MAP_CREATE, &attr);
	volatile uint64_t *all = mmap(NULL, ENTRIES * 8, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (all == MAP_FAILED)
		exit(1);
	double start = now();
	uint64_t sum = 0;
	for (int pass = 0; pass < PASSES * 100; pass++)
		for (int i = 0, at = 0; i < 8192; i++) {
			at = (at * 5 + 1) & 8191;
			sum += all[at];
		}
	if (sum)
		exit(1);
	return (now() - start) / 8192 / PASSES / 100;
}

static double load(int insns)
{
	struct bpf_insn *code = calloc(insns, sizeof(*code));
	for (int i = 0; i < insns; i++)
		code[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0 };
	code[insns - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	int times = insns > 100 ? 100 : 2000;
	double start = now();
	for (int i = 0; i < times; i++) {
		union bpf_attr attr = {
			.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			.insns = (uintptr_t)code,
			.insn_cnt = insns,
			.license = (uintptr_t)"GPL",
		};
		int fd = bpf(BPF_PROG_LOAD, &attr);
		if (fd < 0)
			exit(1);
		close(fd);
	}
	return (now() - start) / times;
}

int main(int argc, char **argv)
{
	for (int i = 0; i < ENTRIES; i++) {
		keys[i] = i;
		values[i] = i * 3ull;
	}
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH,
		.key_size = 4,
		.value_size = 8,
		.max_entries = ENTRIES,
	};
	int map = bpf(BPF_MAP_CREATE, &attr);
	if (map < 0) {
		perror("BPF_MAP_CREATE");
		return 1;
	}
	fill(map);
	const char *job = argc > 1 ? argv[1] : "";
	double ns = !strcmp(job, "lookup")	  ? each(map, lookup, 0)
		    : !strcmp(job, "update")	  ? each(map, update, 0)
		    : !strcmp(job, "delete")	  ? each(map, delete, 1)
		    : !strcmp(job, "next key")	  ? walk(map)
		    : !strcmp(job, "batch lookup") ? lookup_batch(map)
		    : !strcmp(job, "batch update") ? update_batch(map)
		    : !strcmp(job, "iterate")	  ? iterate()
		    : !strcmp(job, "mapped read")  ? mapped()
		    : !strcmp(job, "load 2")	  ? load(2)
		    : !strcmp(job, "load 4000")	  ? load(4000)
						  : -1;
	printf("%f\n", ns);
	return ns < 0;
}
