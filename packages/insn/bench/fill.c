// What a C program does that makes the program of program.ts: it fills an array of struct bpf_insn.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// As in include/uapi/linux/bpf.h.
struct bpf_insn {
	uint8_t code;
	uint8_t dst_reg : 4;
	uint8_t src_reg : 4;
	int16_t off;
	int32_t imm;
};

#define INSN(code, dst, src, off, imm) (*at++ = (struct bpf_insn){ code, dst, src, off, imm })

static struct bpf_insn *build(struct bpf_insn *at, int blocks)
{
	for (int i = 0; i < blocks; i++) {
		INSN(0xbf, 6, 1, 0, 0);
		INSN(0x61, 2, 6, 4, 0);
		INSN(0x79, 7, 10, -8, 0);
		INSN(0x07, 2, 0, 0, i);
		INSN(0x57, 2, 0, 0, 0xff);
		INSN(0x15, 2, 0, 15, 0);
		INSN(0x18, 3, 0, 0, 0x9abcdef0);
		INSN(0, 0, 0, 0, 0x12345678);
		INSN(0xaf, 7, 3, 0, 0);
		INSN(0x7b, 10, 7, -16, 0);
		INSN(0x62, 10, 0, -20, i);
		INSN(0xbf, 1, 10, 0, 0);
		INSN(0x07, 1, 0, 0, -16);
		INSN(0xb4, 2, 0, 0, 8);
		INSN(0x85, 0, 0, 0, 7);
		INSN(0x65, 0, 0, 5, -1);
		INSN(0x67, 0, 0, 0, 32);
		INSN(0x77, 0, 0, 0, 32);
		INSN(0x0c, 7, 0, 0, 0);
		INSN(0x1f, 7, 6, 0, 0);
		INSN(0x5d, 7, 0, 0, 0);
	}
	INSN(0x95, 0, 0, 0, 0);
	return at;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(void)
{
	enum { BLOCKS = 50, ROUNDS = 11 };
	double times[ROUNDS];
	for (int round = 0; round < ROUNDS; round++) {
		struct timespec start, end;
		clock_gettime(CLOCK_MONOTONIC, &start);
		long done = 0;
		while (done < 1000000) {
			// A new array each time, as there.
			struct bpf_insn *insns = malloc((BLOCKS * 21 + 1) * sizeof(*insns));
			build(insns, BLOCKS);
			__asm__ volatile("" : : "r"(insns) : "memory");
			free(insns);
			done += BLOCKS * 20 + 1;
		}
		clock_gettime(CLOCK_MONOTONIC, &end);
		times[round] = ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / done;
	}
	qsort(times, ROUNDS, sizeof(*times), by_value);
	printf("%f\n", times[ROUNDS / 2]);
}
