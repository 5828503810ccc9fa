/* SPDX-License-Identifier: MIT
 * Words for the numbers of the ABI, from the same tables. */
#include <vectra/io.h>
#include <vectra/string.h>

const char *vx_status_name(status_t status)
{
    switch (status) {
#define X(name, value, text)                                                                                           \
    case name:                                                                                                         \
        return #name;
#include <abi/errors.def>
#include <abi/service_errors.def>
#undef X
    }
    return "an unknown status";
}

const char *vx_status_text(status_t status)
{
    switch (status) {
#define X(name, value, text)                                                                                           \
    case name:                                                                                                         \
        return text;
#include <abi/errors.def>
#include <abi/service_errors.def>
#undef X
    }
    return "an unknown status";
}

const char *vx_cause_name(vx_cause_t cause)
{
    switch (cause) {
    case VX_CAUSE_EXIT:
        return "exit";
    case VX_CAUSE_DESTROYED:
        return "destroyed";
    case VX_CAUSE_PAGE_FAULT:
        return "page fault";
    case VX_CAUSE_NO_MEMORY:
        return "out of memory";
    case VX_CAUSE_ILLEGAL:
        return "illegal instruction";
    case VX_CAUSE_ALIGNMENT:
        return "misaligned access";
    case VX_CAUSE_ARITHMETIC:
        return "arithmetic fault";
    case VX_CAUSE_BREAKPOINT:
        return "breakpoint";
    case VX_CAUSE_PROTECTION:
        return "protection fault";
    case VX_CAUSE_MACHINE:
        return "machine error";
    case VX_CAUSE_STACK:
        return "stack overflow";
    }
    return "an unknown cause";
}

const char *vx_cap_type_name(vx_cap_type_t type)
{
    switch (type) {
#define TYPE(name, value, text)                                                                                        \
    case VX_CAP_##name:                                                                                                \
        return #name;
#include <abi/cap.def>
#undef TYPE
    }
    return "?";
}

char *vx_rights_text(vx_rights_t rights, char *out, size_t room)
{
    size_t used = 0;
    out[0] = '\0';
#define RIGHT(name, bit, text)                                                                                         \
    if ((rights & 1u << (bit)) != 0 && used < room) {                                                                  \
        (void)vx_strcopy(out + used, room - used, used == 0 ? #name : "," #name);                                      \
        used += strlen(out + used);                                                                                    \
    }
#include <abi/cap.def>
#undef RIGHT
    return out;
}
