/* SPDX-License-Identifier: MIT
 * The saved register frame of a thread. `struct arch_frame` is complete in <isa/frame.h>; entry code saves straight
 * into the frame that struct hart.frame points to, so a thread's whole state is its frame (and its struct arch_fp). */
#pragma once
#include <abi/status.h>
#include <abi/types.h>
#include <base/addr.h>
#include <isa/frame.h>

/* A fresh user frame: every register 0 but pc, sp and the first two argument registers. */
void arch_frame_init(struct arch_frame *f, uaddr_t pc, uaddr_t sp, uint64_t arg0, uint64_t arg1);

/* <isa/frame.h> supplies, inline:
 *   uint64_t arch_frame_pc(const struct arch_frame *), arch_frame_sp(…)
 *   uint64_t arch_frame_syscall_nr(const struct arch_frame *f);          the number it entered with
 *   uint64_t arch_frame_arg(const struct arch_frame *f, unsigned i);     its argument i, 0..5
 *   void arch_frame_set_syscall(struct arch_frame *f, uint64_t nr);      rewrites them: a call that
 *   void arch_frame_set_arg(struct arch_frame *f, unsigned i, uint64_t); committed half becomes what is left of it
 *   void arch_frame_set_result(struct arch_frame *f, uint64_t first, uint64_t second);
 *   void arch_frame_restart(struct arch_frame *f);   pc back onto the system-call instruction
 *   ARCH_ELF_MACHINE                                 e_machine of executables for this architecture */

/* Copies between a frame and the ABI's register list; set refuses values that would be privileged (ERR_BAD_ARGUMENT).
 */
void arch_frame_get_regs(const struct arch_frame *f, struct vx_frame *out);
status_t arch_frame_set_regs(struct arch_frame *f, const struct vx_frame *in);

/* Enters user mode with hart.frame's registers. Address space, FP state and TLS have been activated. */
[[noreturn]] void arch_resume(void);

/* The thread pointer: x86-64 FS base, AArch64 TPIDR_EL0. Saved and restored at context switch. */
void arch_tls_set(uint64_t address);
uint64_t arch_tls_get(void);
