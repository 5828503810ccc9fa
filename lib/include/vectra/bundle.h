/* SPDX-License-Identifier: MIT
 * Reading one's own Bundle, and writing the specification of a child's. The readers that take a bundle are pure. */
#pragma once
#include <abi/bundle.h>
#include <abi/limits.h>
#include <abi/status.h>
#include <vectra/handles.h>

/* This Task's Bundle. */
const struct vx_bundle *vx_bundle(void);

/* The slot of that name, or nullptr. */
const struct vx_slot *vx_bundle_find(const struct vx_bundle *bundle, const char *name);
const struct vx_slot *vx_bundle_slots(const struct vx_bundle *bundle); /* n_slots of them */
/* Checks that `bytes` bytes at `bundle` are a Bundle whose every offset lies inside. BAD_ARGUMENT, TOO_BIG. */
status_t vx_bundle_check(const void *bundle, size_t bytes);
/* The bytes of a BYTES slot, nullptr and 0 if there is none of that name. */
const void *vx_bundle_bytes_in(const struct vx_bundle *bundle, const char *name, size_t *len);

/* The same in one's own Bundle. A capability that is missing or of another type has raw 0. */
vx_handle_t vx_bundle_cap(const char *name, vx_cap_type_t type);
uint64_t vx_bundle_int(const char *name, uint64_t fallback);
const void *vx_bundle_bytes(const char *name, size_t *len);
/* The value of NAME in the "env" slot, or nullptr. */
const char *vx_env(const char *name);

#define VX_BUNDLE_GETTER(type, constant)                                                                               \
    static inline vx_##type vx_bundle_##type(const char *name)                                                         \
    {                                                                                                                  \
        return (vx_##type){ vx_bundle_cap(name, VX_CAP_##constant) };                                                  \
    }
VX_BUNDLE_GETTER(task, TASK)
VX_BUNDLE_GETTER(reticle, RETICLE)
VX_BUNDLE_GETTER(mem, MEM)
VX_BUNDLE_GETTER(ring_tx, RING_TX)
VX_BUNDLE_GETTER(ring_rx, RING_RX)
VX_BUNDLE_GETTER(sem, SEM)
VX_BUNDLE_GETTER(surface, SURFACE)
VX_BUNDLE_GETTER(device, DEVICE)
VX_BUNDLE_GETTER(irq, IRQ)
VX_BUNDLE_GETTER(console, CONSOLE)
VX_BUNDLE_GETTER(entropy, ENTROPY)
#undef VX_BUNDLE_GETTER

/* What a Ring end can give: the rights to keep when handing one on. */
#define VX_RIGHTS_TX (VX_R_SEND | VX_R_SIGNAL | VX_R_MOVE | VX_R_INSPECT)
#define VX_RIGHTS_RX (VX_R_RECV | VX_R_SIGNAL | VX_R_BIND | VX_R_WAIT | VX_R_MOVE | VX_R_INSPECT)

/* A specification under construction, in memory of the caller's. The first error sticks: check only vx_spec_finish.
 * Slots grow from the front, bytes from the back; finish closes the gap. */
struct vx_spec {
    uint8_t *buffer;
    size_t room;
    size_t bytes_from; /* offset where the bytes begin */
    uint16_t n_slots;
    status_t error;
};

/* buffer: 8-byte aligned */
void vx_spec_init(struct vx_spec *s, void *buffer, size_t room);
/* A copy (the parent keeps its own, needs COPY), or the capability itself (move; needs MOVE). A handle of 0 is skipped.
 */
void vx_spec_copy(struct vx_spec *s, const char *name, vx_handle_t handle, vx_rights_t rights);
void vx_spec_move(struct vx_spec *s, const char *name, vx_handle_t handle, vx_rights_t rights);
void vx_spec_int(struct vx_spec *s, const char *name, uint64_t value);
void vx_spec_bytes(struct vx_spec *s, const char *name, const void *bytes, size_t len);
/* argc strings with their NULs, one after the other: "argv" and "env". */
void vx_spec_strings(struct vx_spec *s, const char *name, size_t count, const char *const *strings);
/* Makes buffer[0, *len) the specification. TOO_BIG: it did not fit. BAD_ARGUMENT: a name too long or given twice. */
status_t vx_spec_finish(struct vx_spec *s, size_t *len);
