/* SPDX-License-Identifier: MIT
 * The Bundle: all of a Task's authority and arguments, as a read-only range of pages of named typed slots.
 *
 * SPAWN takes one as its specification (written by the parent, with the parent's handles) and the kernel turns a copy
 * of it into the child's Bundle (same bytes, with the child's handles). Every offset counts from the start of the
 * header and lies inside `bytes`; every reserved field is 0. The kernel copies once and checks the copy.
 *
 * A child starts with: its entry point's first argument = address of its Bundle, second = address of its time page,
 * stack pointer 16-byte aligned at the top of its stack, every other register 0. */
#pragma once
#include <abi/types.h>

#define VX_BUNDLE_MAGIC UINT32_C(0x4c444256) /* "VBDL" */
#define VX_BUNDLE_VERSION 1u
#define VX_SLOT_NAME_MAX 24u /* with the terminating NUL */

typedef enum vx_slot_kind : uint8_t {
    /* value: the handle. In a spec: the parent's, derived (COPY) or moved (MOVE) with `rights` kept. One from which
     * others were derived moves only with all its rights (cap.h, C3): NO_RIGHTS. */
    VX_SLOT_CAP = 1,
    VX_SLOT_INT = 2,   /* value: any 64 bits */
    VX_SLOT_BYTES = 3, /* value: offset of the bytes; length: how many. No terminator is implied */
} vx_slot_kind_t;

/* Names the kernel itself understands in a spec; all are optional INT or CAP slots:
 *   "band"      INT  enum vx_band; not more urgent than the parent's ceiling (default: the parent's)
 *   "reticle"   CAP  the Reticle that pays (needs WRITE); without it the parent's own Reticle does
 *   "memory"    INT  bytes of the child's own Reticle, carved from the payer; rounded up to a power of two (default 1
 * MiB) "capslots"  INT  slots of its capability table, CAP_SLOTS_MIN..CAP_SLOTS_MAX, a multiple of 64 (default 512)
 *   "stack"     INT  bytes of the main thread's lazily committed stack (default 256 KiB)
 *   "name"      BYTES what people call it (default: "task")
 * A "reticle" slot is consumed by the kernel: in the child's Bundle it holds the handle of the child's own Reticle.
 * By convention: "argv" BYTES (NUL-separated), "env" BYTES (NUL-separated NAME=VALUE), "console" CAP, "cmdline" BYTES.
 */
struct vx_slot {
    char name[VX_SLOT_NAME_MAX]; /* NUL-terminated, unique, not empty */
    uint8_t kind;                /* vx_slot_kind_t */
    uint8_t move;                /* CAP in a spec: 1 = the parent gives it up */
    vx_rights_t rights;          /* CAP: rights the child gets (in a spec: must be held by the parent's) */
    uint32_t length;             /* BYTES: length; CAP: its vx_cap_type_t (filled in by the kernel); INT: 0 */
    uint64_t value;
};
static_assert(sizeof(struct vx_slot) == 40);

struct vx_bundle {
    uint32_t magic;
    uint16_t version;
    uint16_t n_slots;
    uint32_t bytes;    /* whole Bundle, header included; at most BUNDLE_MAX_BYTES */
    uint32_t slots_at; /* offset of the slot array, 8-byte aligned */
    /* facts of the child, filled in by the kernel; 0 in a spec */
    uint32_t task_id;
    uint32_t band;
    uint64_t stack_low, stack_high; /* usable stack of the main thread */
    uint64_t image_base;            /* where a static-PIE image was placed; 0 for ET_EXEC */
    uint64_t phdr_address;          /* program headers in memory, for TLS; 0 if they are not loaded */
    uint32_t phdr_count, reserved;
};
static_assert(sizeof(struct vx_bundle) == 64);
