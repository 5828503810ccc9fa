/* SPDX-License-Identifier: MIT
 * What the families of system-call tests share. A test is named CALL.ok, CALL.ERROR or CALL.hostile through the macros
 * below; tools/check-syscall-tests reads these very names and abi/syscalls.def and says what is missing. */
#pragma once
#include <test/guest/common/check.h>

/* S: succeeds. E: answers exactly that error. C: a condition, under any of the names. */
#define S(call, result) check_status(#call ".ok", OK, vx_result_status((result).value))
#define E(call, error, result) check_status(#call "." #error, ERR_##error, vx_result_status((result).value))
#define C(call, what, condition) check_line(#call "." #what, (condition), "false: " #condition)

/* A handle that was never given out: the last index there is, with a generation nobody reached. */
#define FORGED UINT64_C(0xfffffffe)

struct kit {
    vx_handle_t reticle, console, initrd; /* from the Bundle */
    vx_handle_t mem;                      /* one page of our own, READ and WRITE and the rest */
    vx_handle_t sem;
    vx_handle_t dead; /* a tombstone: a semaphore that was destroyed */
    vx_handle_t self; /* a capability to a live child Task that sleeps; destroyed at the end */
    uint8_t *page;    /* 4096 bytes, mapped; the page behind it is not */
    uint8_t *read_only;
    uint8_t *no_access;
};
extern struct kit kit;

/* A semaphore's destroyed capability of its own, for calls that consume it. */
vx_handle_t kit_tombstone(void);
/* The same object without one right; 0 if that could not be made. */
vx_handle_t kit_without(vx_handle_t handle, vx_rights_t right);
/* The calling thread's id, as long as it is the only one. */
uint32_t kit_thread(void);
/* Makes this thread's next interruptible wait answer INTERRUPTED. */
void kit_interrupt(void);
/* A deadline in the past that is not 0, and one soon. */
uint64_t kit_past(void);
uint64_t kit_soon(void);

struct ring {
    vx_handle_t tx, rx;
};
/* A fresh ring with `slots` messages; flags as RING_CREATE. */
struct ring kit_ring(uint32_t slots, uint32_t flags);
void kit_ring_drop(struct ring r);
struct ring kit_ring_full(uint32_t flags);
/* One whose other end was dropped: only tx is left, only rx is left. */
vx_handle_t kit_orphan_tx(uint32_t flags);
vx_handle_t kit_orphan_rx(uint32_t flags);

/* A child: this program again, with argv[1] = role and one moved capability "gift" (0: none). 0 on failure. */
vx_handle_t kit_child(const char *role, vx_handle_t gift, vx_rights_t rights, uint32_t *id);
/* One with so much memory. */
vx_handle_t kit_large_child(const char *role, uint64_t memory);
/* Waits for it, drops it; its status, or 1000 + cause if it did not exit by itself. */
uint32_t kit_child_end(vx_handle_t task);

/* Runs `call` with every bad address for `bytes` bytes that the kernel would read (or write): null, low, unmapped,
 * kernel, non-canonical, wrapping, a mapped page followed by nothing, no-access; for writing also read-only and the
 * Bundle and code. True when every one was BAD_ADDRESS; prints the first that was not. */
bool kit_hostile_in(const char *name, size_t bytes, struct vx_result (*call)(uint64_t address));
bool kit_hostile_out(const char *name, size_t bytes, struct vx_result (*call)(uint64_t address));
/* As kit_hostile_in, for an aligned 32-bit word. */
bool kit_hostile_word(const char *name, struct vx_result (*call)(uint64_t address));
/* Runs `call` with handles that no Task was ever given; true when every one was BAD_HANDLE. */
bool kit_hostile_handle(const char *name, struct vx_result (*call)(uint64_t handle));

void test_cap(void);
void test_ring(void);
void test_ring_cap(void);
void test_ring_rights(void);
void test_busy(void);
void test_mem(void);
void test_task(void);
void test_control(void);
void test_thread(void);
void test_signal(void);
void test_device(void);
void test_misc(void);

/* What a child with that role does; its exit status. */
int child_main(const char *role);
