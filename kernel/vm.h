/* SPDX-License-Identifier: MIT
 * Address spaces: which ranges of user addresses mean what, and the page tables that say so to the hardware.
 *
 * V1. Areas of one address space do not overlap; their bounds are page multiples inside [VX_UADDR_MIN, VX_UADDR_LIMIT).
 * V2. A present user entry lies inside an area and allows no more than the area's `prot`; W and X never together.
 * V3. Frames under an anonymous area belong to it alone and are freed with it; all others belong to the object.
 * V4. An area of an object is on the object's `maps`, and goes when `cap`, through which it was made, goes.
 * V5. Page tables and areas are paid for by the Task's own Reticle.
 * V6. A VX_MEM_RESERVE area has no entries, a VX_MEM_COMMIT area one for each of its pages; but for the range of a call
 * that goes on in steps, and where one thread interfered with what another was doing.
 * V7. No area has an address in [gap_start, gap_end); gap_start is at least VX_MAP_BASE.
 * V8. An area with a `maker` is being made, in steps, by a call of that thread: [its start, made) is. Nobody changes
 * its protection; who takes its first page away ends the making. Anonymous memory is VX_MEM_LAZY until all of it is
 * made.
 * V9. While there is an area there is a spare record for one more, but between making a hole and paying for the next.
 * So making a hole in committed memory never fails for want of a record: a frame goes, and pays for it. Without areas
 * there are no spare records. Locking: areas and tables under vm->lock, which also guards the Task's Reticle; an
 * object's list of areas under the object's own lock, inside that. The owner of the gate needs none, and only it
 * touches another Task's areas. */
#pragma once
#include <abi/timepage.h>
#include <abi/types.h>
#include <abi/status.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <base/tree.h>
#include <kernel/lock.h>
#include <kernel/object.h>
#include <kernel/reticle.h>

struct vma {
    struct tree_node node; /* in vm->areas; key: first address */
    uint64_t end;          /* one past the last */
    struct vm *vm;
    uint8_t state; /* VX_MEM_RESERVE, _LAZY or _COMMIT; 0: frames come from the object; the time page has none */
    enum mem_type mem_type;
    uint32_t prot;  /* VX_PROT_*; write and execute imply read, as on the hardware */
    uint32_t maker; /* V8 */
    uint64_t made;
    uint64_t offset; /* of the first address, in the object */
    struct object *obj;
    struct cap *cap;       /* through which it was made; nullptr: kernel-made, or none needed */
    struct list_node maps; /* in obj->maps; of a spare record: `next` is the next one */
};
static_assert(sizeof(struct vma) <= 128); /* a size class */

struct vm {
    struct tree areas;
    struct arch_aspace as;
    struct reticle *reticle;
    struct spinlock lock;        /* LOCK_VM */
    uint64_t waits_in;           /* groups of futexes in which threads wait, perhaps; a bit each */
    uint64_t gap_start, gap_end; /* V7: where new areas go first */
    uint64_t ended_below;        /* how far vm_fini() has come */
    struct list_node *spares;    /* V9: through `maps` */
    uint32_t n_spares;
};

/* Write and execute imply read, as on the hardware. */
static inline uint32_t prot_normal(uint32_t prot)
{
    return (prot & (VX_PROT_WRITE | VX_PROT_EXEC)) != 0 ? prot | VX_PROT_READ : prot;
}

static inline bool prot_ok(uint32_t prot)
{
    constexpr uint32_t wx = VX_PROT_WRITE | VX_PROT_EXEC;
    return (prot & ~(VX_PROT_READ | wx)) == 0 && (prot & wx) != wx;
}

/* Spare records stay where areas were, and so keep pages that nothing else is on: without them the bytes that are free
 * are always the same for the same areas. By the owner of the gate. */
void vm_settle(struct vm *vm);
/* ERR_NO_MEMORY leaves nothing. */
status_t vm_init(struct vm *vm, struct reticle *r);
/* Takes every area of an object off that object's list and forgets the TLBs; the memory itself goes with the Reticle.
 * In steps; true: it is over, or was before. */
bool vm_fini(struct vm *vm);

/* New pages of a loader's, who fills each one of them: `offset` bytes into the area. */
typedef void vm_fill_fn(const void *ctx, uint64_t offset, void *page);
/* Where an object's bytes are: the physical address of page-aligned `offset`, and in *run how many contiguous bytes
 * follow. */
typedef paddr_t vm_frame_fn(const struct object *o, uint64_t offset, uint64_t *run);

/* What is to be mapped: with `frames` an object's memory, else anonymous. */
struct vm_spec {
    uint64_t addr, len; /* addr 0: anywhere; a hint that is taken: anywhere too. len is a page multiple */
    bool fixed;         /* exactly at addr, or ERR_BUSY */
    uint8_t state;      /* anonymous: VX_MEM_RESERVE, _LAZY or _COMMIT */
    enum mem_type type;
    uint32_t prot;
    uint32_t maker;   /* the thread, if others of its Task may come in between: never 0 */
    vm_fill_fn *fill; /* for VX_MEM_COMMIT; nullptr: zeroed */
    const void *ctx;  /* fill's */
    vm_frame_fn *frames;
    struct object *obj; /* which has [offset, offset + len); nullptr: frames that are the kernel's for ever */
    struct cap *cap;    /* through which it is mapped: it allows prot */
    uint64_t offset;
};

static inline struct vm_spec vm_of_object(struct object *o, struct cap *c, vm_frame_fn *frames, uint64_t offset,
                                          uint64_t len, uint32_t prot)
{
    return (struct vm_spec){ .len = len, .prot = prot, .frames = frames, .obj = o, .cap = c, .offset = offset };
}

/* These two, and vm_protect(), go on in steps of some ten thousand instructions: as long as *progress, which is 0 at
 * first, is not 0 after an OK, the call is to be made again with the same arguments. Others may come in between. */

/* ERR_BAD_ARGUMENT: addr is no page of user space, or write and execute at once. ERR_TOO_BIG. ERR_DESTROYED: the object
 * goes. ERR_NO_MEMORY. On error nothing changed. */
status_t vm_map(struct vm *vm, const struct vm_spec *s, uint64_t *progress, uint64_t *out);

/* Unmaps what lies in the range, splitting areas; frees anonymous frames. Unmapped parts are ignored; ERR_NOT_FOUND:
 * all of it is. May need memory to split one area or large page in two: ERR_NO_MEMORY, nothing changed. Whole areas
 * never need any. `only_cap`: leave areas that were not made through it. */
status_t vm_unmap(struct vm *vm, uint64_t addr, uint64_t len, const struct cap *only_cap, uint64_t *progress);
/* Unmaps every area of o made through c (nullptr: all), or through what was derived from it (`below`), in steps
 * (kernel/object.h). True: nothing is left. */
bool vm_unmap_object(struct object *o, const struct cap *c, bool below);

/* Changes protection and, for anonymous areas, the state (0: keep) of a wholly mapped range; ERR_NOT_FOUND if it has
 * holes. _RESERVE gives the pages back, _LAZY turns reserved pages into lazy ones, _COMMIT backs every page that has no
 * frame. Protection beyond what an object area's capability allows is ERR_NO_RIGHTS; a state for an object area is
 * ERR_BAD_ARGUMENT; ERR_BUSY: a part is still being made. ERR_NO_MEMORY. On error nothing changed, but for what another
 * thread did to the range in between: then it may be changed in part. */
status_t vm_protect(struct vm *vm, uint64_t addr, uint64_t len, uint32_t prot, uint32_t state, uint64_t *progress);

/* Resolves a fault of user code, or the touch of a user copy: OK when the access can be tried again. It may then still
 * fail for another reason (an unaligned access to registers), so a copy tries again once for each page, not for ever.
 * access: VX_PROT_*. ERR_BAD_ADDRESS, or ERR_NO_MEMORY when a lazy page could not be paid for. */
status_t vm_fault(struct vm *vm, uint64_t addr, uint32_t access);
/* An anonymous page without protection right below accessible memory: a fault there is a stack overflow, in the report.
 */
bool vm_is_guard(const struct vm *vm, uint64_t addr);
/* Physical address behind a user address, after resolving a lazy page. ERR_BAD_ADDRESS; also for device registers,
 * which are not in the direct map. */
status_t vm_translate(struct vm *vm, uint64_t addr, uint32_t access, paddr_t *out);
/* Resolves and copies between kernel memory and an address space that need not be active. ERR_BAD_ADDRESS; *done bytes.
 * Writing reaches read-only anonymous memory too: loaders and debuggers have authority over the whole Task. */
status_t vm_copy(struct vm *vm, uint64_t addr, void *buffer, size_t len, bool write, size_t *done);
