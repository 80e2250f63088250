// What bench.ts does, with libbpf. Each run is a round of one job: it prints nanoseconds (for memory: bytes) and a number
// that must be the same there.
//
//   libbpf cold              opens the kernel's BTF and finds the members in `paths`
//   libbpf pass              opens the kernel's BTF and goes over all types
//   libbpf strings           goes over all types, with their names
//   libbpf names KIND NAME…  looks up each
//   libbpf memory KIND NAME…
#include <bpf/btf.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const paths[] = { "pid", "tgid", "comm", "start_time", "real_parent.tgid", "mm.start_code" };

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static struct btf *open_kernel(void)
{
	struct btf *btf = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	if (!btf)
		exit(1);
	return btf;
}

/* The type behind typedefs and qualifiers. */
static const struct btf_type *resolve(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	while (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type))
		type = btf__type_by_id(btf, type->type);
	return type;
}

/* A member by name, also inside anonymous members: its type, and where it starts in bits. */
static bool find_member(const struct btf *btf, const struct btf_type *type, const char *name, __u32 *id, long *bits)
{
	const struct btf_member *member = btf_members(type);
	for (int i = 0; i < btf_vlen(type); i++, member++) {
		long offset = btf_member_bit_offset(type, i);
		if (member->name_off) {
			if (strcmp(btf__name_by_offset(btf, member->name_off), name))
				continue;
			*id = member->type;
			*bits += offset;
			return true;
		}
		const struct btf_type *inner = resolve(btf, member->type);
		if (btf_is_composite(inner) && find_member(btf, inner, name, id, bits)) {
			*bits += offset;
			return true;
		}
	}
	return false;
}

/* The byte offset at the end of a path, plus those of the pointers on the way. */
static long offsets(const struct btf *btf, __u32 id, const char *path)
{
	char steps[64], *rest = NULL;
	long sum = 0;
	snprintf(steps, sizeof(steps), "%s", path);
	for (char *step = strtok_r(steps, ".", &rest); step; step = strtok_r(NULL, ".", &rest)) {
		const struct btf_type *type = resolve(btf, id);
		long bits = 0;
		if (btf_is_ptr(type))
			type = resolve(btf, type->type);
		if (!find_member(btf, type, step, &id, &bits))
			exit(1);
		sum += bits / 8;
	}
	return sum;
}

static long cold(void)
{
	struct btf *btf = open_kernel();
	int id = btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT);
	long sum = 0;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		sum += offsets(btf, id, paths[i]);
	btf__free(btf);
	return sum;
}

static long pass(void)
{
	struct btf *btf = open_kernel();
	long sum = btf__type_cnt(btf) - 1;
	btf__free(btf);
	return sum;
}

/* Names are read to their ends, as who makes a string of them does. */
static long strings(const struct btf *btf)
{
	long sum = 0;
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		sum += btf_kind(type) + strlen(btf__name_by_offset(btf, type->name_off));
	}
	return sum;
}

static long names(const struct btf *btf, char **args)
{
	long sum = 0;
	for (; *args; args += 2)
		sum += btf__find_by_name_kind(btf, args[1], atoi(args[0]));
	return sum;
}

int main(int argc, char **argv)
{
	const char *job = argv[argc > 1];
	long sum;
	if (!strcmp(job, "memory")) {
		struct mallinfo2 before = mallinfo2();
		struct btf *btf = open_kernel();
		sum = names(btf, argv + 2);
		struct mallinfo2 after = mallinfo2();
		printf("%zu %ld\n", after.uordblks + after.hblkhd - before.uordblks - before.hblkhd, sum);
		return 0;
	}
	struct btf *btf = open_kernel();
	double start, took;
	if (!strcmp(job, "pass"))
		pass(); /* to warm up */
	if (!strcmp(job, "strings"))
		strings(btf);
	start = now();
	if (!strcmp(job, "cold"))
		sum = cold();
	else if (!strcmp(job, "pass"))
		sum = pass();
	else if (!strcmp(job, "strings"))
		sum = strings(btf);
	else
		sum = names(btf, argv + 2);
	took = now() - start;
	printf("%.0f %ld\n", took, sum);
}
