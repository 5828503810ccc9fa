/* SPDX-License-Identifier: MIT
 * This Task's own Bundle: its capabilities, numbers, bytes and environment by name. */
#include "start.h"
#include <vectra/bundle.h>
#include <vectra/string.h>

static const struct vx_bundle *own_bundle;

void vx_bundle_adopt(const struct vx_bundle *bundle)
{
    own_bundle = bundle;
}

const struct vx_bundle *vx_bundle(void)
{
    return own_bundle;
}

vx_handle_t vx_bundle_cap(const char *name, vx_cap_type_t type)
{
    const struct vx_slot *slot = vx_bundle_find(own_bundle, name);
    return slot != nullptr && slot->kind == VX_SLOT_CAP && slot->length == type ? (vx_handle_t)slot->value
                                                                                : VX_HANDLE_NONE;
}

uint64_t vx_bundle_int(const char *name, uint64_t fallback)
{
    const struct vx_slot *slot = vx_bundle_find(own_bundle, name);
    return slot != nullptr && slot->kind == VX_SLOT_INT ? slot->value : fallback;
}

const void *vx_bundle_bytes(const char *name, size_t *len)
{
    return vx_bundle_bytes_in(own_bundle, name, len);
}

const char *vx_env(const char *name)
{
    size_t left = 0, name_len = strlen(name);
    const char *at = vx_bundle_bytes("env", &left);
    if (left == 0 || at[left - 1] != '\0')
        return nullptr;
    while (left != 0) {
        size_t len = strlen(at) + 1;
        if (len > name_len + 1 && memcmp(at, name, name_len) == 0 && at[name_len] == '=')
            return at + name_len + 1;
        at += len;
        left -= len;
    }
    return nullptr;
}
