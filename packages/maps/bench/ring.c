// Drains a ring buffer as libbpf's ring_buffer__consume does: a callback for each record, whose position is stored after it.
// Descriptor 3 is the map, 4 a program that fills it, 5 records with each run. Prints the nanoseconds that a record took.
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef int (*record_fn)(void *ctx, void *data, size_t size);

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void fill(uint32_t repeat)
{
	static char packet[14];
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = 4;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = repeat;
	if (syscall(__NR_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) != 0) {
		perror("BPF_PROG_TEST_RUN");
		exit(1);
	}
}

static int add(void *ctx, void *data, size_t size)
{
	(void)size;
	*(uint64_t *)ctx += *(uint8_t *)data;
	return 0;
}

static uint64_t drain(uint64_t *consumer, uint64_t *producer, char *data, uint64_t mask, record_fn fn, void *ctx)
{
	uint64_t count = 0, position = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);
	int more;

	do {
		more = 0;
		uint64_t end = __atomic_load_n(producer, __ATOMIC_ACQUIRE);
		while (position < end) {
			uint32_t *record = (uint32_t *)(data + (position & mask));
			uint32_t length = __atomic_load_n(record, __ATOMIC_ACQUIRE);

			if (length & BPF_RINGBUF_BUSY_BIT)
				return count;
			more = 1;
			position += ((length << 2 >> 2) + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
			if (!(length & BPF_RINGBUF_DISCARD_BIT)) {
				fn(ctx, (char *)record + BPF_RINGBUF_HDR_SZ, length);
				count++;
			}
			__atomic_store_n(consumer, position, __ATOMIC_RELEASE);
		}
	} while (more);
	return count;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	uint64_t size = strtoull(argv[1], NULL, 0), passes = strtoull(argv[3], NULL, 0), records = 0, sum = 0;
	uint32_t repeat = strtoul(argv[2], NULL, 0);
	long page = sysconf(_SC_PAGESIZE);
	char *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
	char *producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, 3, page);
	double time = 0;

	if (consumer == MAP_FAILED || producer == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	record_fn volatile fn = add;
	for (uint64_t pass = 0; pass < passes; pass++) {
		fill(repeat);
		double start = now();
		records += drain((uint64_t *)consumer, (uint64_t *)producer, producer + page, size - 1, fn, &sum);
		time += now() - start;
	}
	if (records == 0 || sum == 0)
		return 1;
	printf("%f\n", time / records);
	return 0;
}
