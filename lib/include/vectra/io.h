/* SPDX-License-Identifier: MIT
 * Output and input of a small program: on the session that its Bundle names ("tty.tx", "tty.rx"), else on the kernel's
 * console capability ("console", output only), else nowhere. Formats are those of base/format.h. In a program of the C
 * library output goes to descriptor 1. */
#pragma once
#include <abi/status.h>
#include <stdarg.h>
#include <stddef.h>
#include <vectra/rpc.h>

/* All of the bytes, in order; on return the kernel's console has them. */
status_t vx_out(const void *bytes, size_t len);
status_t vx_puts(const char *text); /* no newline added */
[[gnu::format(printf, 1, 2)]] void vx_printf(const char *format, ...);
void vx_vprintf(const char *format, va_list args);

/* The program's session with consoled, or nullptr. */
struct vx_client *vx_tty(void);

/* One line, without its newline and NUL-terminated. NOT_FOUND: end of input. INTERRUPTED: ^C. TOO_BIG: cut at room. */
status_t vx_read_line(char *line, size_t room, size_t *len);
/* At least one byte of raw input. TIMED_OUT at the deadline. */
status_t vx_read_keys(void *bytes, size_t room, size_t *len, uint64_t deadline);

const char *vx_status_name(status_t status);      /* "ERR_NO_MEMORY" */
const char *vx_status_text(status_t status);      /* what the caller learns */
const char *vx_cause_name(vx_cause_t cause);      /* "page fault" */
const char *vx_cap_type_name(vx_cap_type_t type); /* "RING_TX" */
/* "RWX..." as words: "READ,WRITE". Returns out. */
char *vx_rights_text(vx_rights_t rights, char *out, size_t room);
