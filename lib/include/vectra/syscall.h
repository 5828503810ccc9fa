/* SPDX-License-Identifier: MIT
 * The system calls, one inline stub per row of abi/syscalls.def: vx_sys_NAME(arguments, outputs by pointer).
 * Outputs are written only when the call returned OK; any output pointer may be nullptr. */
#pragma once
#include <abi/limits.h>
#include <abi/status.h>
#include <abi/types.h>
#include <vectra/handles.h>

/* Both result registers of a call. */
struct vx_result {
    uint64_t value; /* a result, or an error as a small negative number */
    uint64_t second;
};

#if defined(__linux__)
/* A test on the building machine plays the kernel. */
struct vx_result vx_enter(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);
uint64_t vx_counter(void);
static inline void vx_relax(void)
{
}
#elif defined(__x86_64__)
#include <vectra/arch/x86_64/entry.h>
#elif defined(__aarch64__)
#include <vectra/arch/aarch64/entry.h>
#else
#error "no system-call entry for this architecture"
#endif

/* The error in a result register, or OK. Errors are -1 to -63; every other value is a result. */
static inline status_t vx_result_status(uint64_t value)
{
    return value >= (uint64_t)-63 ? (status_t)(int32_t)(uint32_t)value : OK;
}

#include <vectra/syscall_stubs.h>
