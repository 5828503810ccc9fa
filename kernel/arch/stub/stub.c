/* SPDX-License-Identifier: MIT
 * An architecture that compiles and does nothing: the whole of what a port must supply, and the proof that the portable
 * kernel asks for no more. Nobody boots it. */
#include <abi/status.h>
#include <arch/boot.h>
#include <arch/debug.h>
#include <arch/fp.h>
#include <arch/frame.h>
#include <arch/hart.h>
#include <arch/io.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <arch/timer.h>
#include <arch/usercopy.h>
#include <kernel/irqchip.h>

struct hart *stub_hart;

// clang-format off
/* hart.h */
void arch_hart_local_init(void) {}
void arch_idle_wait(void) {}
void arch_halt(void)
{
    for (;;)
        arch_relax();
}

/* boot.h */
void arch_early_putc(char) {}
bool arch_random(uint64_t *) { return false; }
void arch_poweroff(void) { arch_halt(); }
void arch_reboot(void) { arch_halt(); }
bool arch_kernel_device(unsigned, paddr_t *, uint64_t *) { return false; }

/* frame.h */
void arch_frame_init(struct arch_frame *f, uaddr_t pc, uaddr_t sp, uint64_t arg0, uint64_t arg1)
{
    *f = (struct arch_frame){ .x = { arg0, arg1 }, .sp = sp.raw, .pc = pc.raw };
}
void arch_frame_get_regs(const struct arch_frame *, struct vx_frame *out) { *out = (struct vx_frame){}; }
status_t arch_frame_set_regs(struct arch_frame *, const struct vx_frame *) { return ERR_NOT_SUPPORTED; }
void arch_resume(void) { arch_halt(); }
void arch_tls_set(uint64_t) {}
uint64_t arch_tls_get(void) { return 0; }

/* fp.h */
size_t arch_fp_bytes(void) { return 0; }
void arch_fp_clear(void *) {}
void arch_fp_switch(void *, const void *) {}
void arch_fp_clobber(void) {}

/* mmu.h */
void arch_aspace_init(struct arch_aspace *as, paddr_t root) { *as = (struct arch_aspace){ root }; }
void arch_aspace_fini(struct arch_aspace *) {}
void arch_aspace_activate(struct arch_aspace *) {}
void arch_tlb_flush_range(struct arch_aspace *, vaddr_t, size_t) {}
void arch_tlb_publish(void) {}
void *arch_map_device(paddr_t, size_t) { return nullptr; }
status_t arch_ports_grant(struct arch_aspace *, uint32_t, uint32_t, const struct cap *) { return ERR_NOT_SUPPORTED; }
void arch_ports_revoke(struct arch_aspace *, const struct cap *) {}
uint64_t arch_kernel_pte(vaddr_t, unsigned *) { return 0; }
void arch_sync_icache(const void *, size_t) {}
void arch_page_zero(void *) {}
void arch_page_copy(void *, const void *) {}

/* hart.h */
struct hart *arch_hart_create(uint32_t, uint64_t) { return nullptr; }
void arch_irq_window(void) {}
status_t arch_hart_start(struct hart *) { return ERR_NOT_SUPPORTED; }
void arch_ipi_send(const struct hart *) {}

/* timer.h */
void arch_time_params(struct arch_time *out) { *out = (struct arch_time){ .mult = 1, .counter_hz = 1 }; }
uint64_t arch_timer_now_ns(void) { return 0; }
void arch_timer_arm(uint64_t) {}

/* usercopy.h */
status_t arch_copy_from_user(void *, uaddr_t, size_t) { return ERR_BAD_ADDRESS; }
status_t arch_copy_to_user(uaddr_t, const void *, size_t) { return ERR_BAD_ADDRESS; }
status_t arch_copy_message_from_user(void *, uaddr_t) { return ERR_BAD_ADDRESS; }
status_t arch_copy_message_to_user(uaddr_t, const void *) { return ERR_BAD_ADDRESS; }
status_t arch_copy_message_across(struct arch_aspace *, uaddr_t, uaddr_t) { return ERR_NOT_SUPPORTED; }
status_t arch_user_load32(uaddr_t, uint32_t *) { return ERR_BAD_ADDRESS; }

/* debug.h */
size_t arch_backtrace(uint64_t *, size_t, const struct arch_frame *) { return 0; }
void arch_frame_dump(const struct arch_frame *) {}

/* kernel/plat's part */
status_t irqchip_configure(uint32_t) { return ERR_NOT_FOUND; }
void irqchip_wire(uint32_t, bool, bool) {}
void irqchip_unmask(uint32_t) {}
void irqchip_mask(uint32_t) {}
bool irqchip_is_level(uint32_t) { return false; }
uint32_t irqchip_lines(void) { return 0; }
