/* SPDX-License-Identifier: MIT
 * The kernel on several harts at once under the thread sanitizer: a data race in it, or in the hand-over of a thread or
 * of a frame from one hart to another, is a report. smp_address_test.c is the same under the other sanitizers. */
// sources: kernel/gate.c kernel/harts.c kernel/lock.c kernel/lock_check.c kernel/vm_unmap.c kernel/ram.c
// sources: kernel/bundle.c kernel/cap.c kernel/entropy.c kernel/irq.c kernel/mem.c kernel/object.c kernel/pt.c
// sources: kernel/reticle.c kernel/reticle_check.c kernel/ring.c kernel/sched.c kernel/signal.c kernel/spawn.c
// sources: kernel/sync.c kernel/sys_cap.c kernel/sys_mem.c kernel/sys_ring.c kernel/sys_task.c kernel/syscall.c
// sources: kernel/task.c kernel/task_control.c kernel/thread.c kernel/vm.c kernel/vm_fault.c kernel/wallclock.c
// sources: kernel/firmware/elf.c base/tree.c kernel/format.c
// sources: kernel/arch/host/cpu.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// flags: -DHOST_SMP -DVECTRA_DEBUG
// sanitize: thread
// mutations: lock-none:-DLOCK_NOT_TAKEN=LOCK_RING lock-none:-DLOCK_NOT_TAKEN=LOCK_MAPS
// mutations: lock-none:-DLOCK_NOT_TAKEN=LOCK_SEM lock-none:-DLOCK_NOT_TAKEN=LOCK_FUTEX
// mutations: lock-none:-DLOCK_NOT_TAKEN=LOCK_TASK lock-none:-DLOCK_NOT_TAKEN=LOCK_VM
// mutations: -DMUTATE_HOST_NO_IPI
// libs: -lpthread
#include "smp_main.h"
