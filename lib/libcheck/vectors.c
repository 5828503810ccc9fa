/* SPDX-License-Identifier: MIT */
#include <check/cpu.h>

void cpu_vectors_fill(struct cpu_vectors *v, uint64_t seed)
{
    for (unsigned i = 0; i < cpu_n_vectors; i++) {
        v->half[i][0] = seed * 0x9e3779b97f4a7c15u + i;
        v->half[i][1] = ~v->half[i][0] * 3;
    }
}

bool cpu_vectors_same(const struct cpu_vectors *a, const struct cpu_vectors *b)
{
    for (unsigned i = 0; i < cpu_n_vectors; i++)
        if (a->half[i][0] != b->half[i][0] || a->half[i][1] != b->half[i][1])
            return false;
    return true;
}
