/* SPDX-License-Identifier: MIT
 * The types that cross the system-call boundary. All integers are little endian; every layout is asserted.
 * Nothing here has state or code. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* A handle names a slot of the caller's capability table: bits 13:0 the index, bits 31:14 the generation.
 * Generations start at 1, so no valid handle is 0. Index width = log2(CAP_SLOTS_MAX). */
typedef uint32_t vx_handle_t;
#define VX_HANDLE_INDEX_BITS 14u
#define VX_HANDLE_NONE 0u

typedef enum vx_cap_type : uint8_t {
#define TYPE(name, value, text) VX_CAP_##name = value,
#include <abi/cap.def>
#undef TYPE
} vx_cap_type_t;

typedef uint16_t vx_rights_t;
#define RIGHT(name, bit, text) static constexpr uint16_t VX_R_##name = (uint16_t)(1u << (bit));
#include <abi/cap.def>
#undef RIGHT
static constexpr uint16_t VX_RIGHTS_ALL = 0x3fff;

/* One Ring message: 64 bytes, aligned so that it is one cache line. The kernel does not look inside. */
struct vx_message {
    alignas(64) uint64_t word[8];
};
static_assert(sizeof(struct vx_message) == 64);

/* Deadlines are absolute monotonic nanoseconds (CLOCK_GET_TIME, clock 0). */
#define VX_POLL UINT64_C(0)
#define VX_FOREVER UINT64_MAX

/* What CAP_INSPECT and TASK_CONTROL(CAPS) tell of one capability. a..d by type:
 *   TASK     id, state (enum vx_task_state), exit status, cause (enum vx_cause)
 *   RETICLE  total bytes, free bytes, largest free block in bytes, bytes lent to child Reticles
 *   MEM      offset of this range in the object, its length, bus address (0 without the DMA right), the object's bytes
 *   RING_*   slots, messages waiting, peer is open (1/0), epoch
 *   SEM      count, waiters, 0, 0
 *   SURFACE  width, height, format, bytes
 *   DEVICE   first address or port, length, kind (enum vx_device_kind), 0
 *   IRQ      first line, number of lines, bound (1/0), 0 */
struct vx_cap_facts {
    vx_handle_t handle;
    uint8_t type;      /* vx_cap_type_t */
    uint8_t destroyed; /* 1: the object is gone, the slot is a tombstone */
    vx_rights_t rights;
    uint32_t object_id; /* a number for people: equal for two capabilities to the same object; no authority */
    uint32_t children;  /* capabilities derived directly from this one */
    uint64_t a, b, c, d;
    vx_handle_t parent; /* the handle this was derived from, if it is in the same table; else 0 */
    uint32_t reserved;
    uint64_t reserved2;
};
static_assert(sizeof(struct vx_cap_facts) == 64);

enum vx_device_kind : uint32_t { VX_DEVICE_MMIO = 0, VX_DEVICE_PORTS = 1 };

/* Memory protection and kinds: MEM_ALLOC, MEM_MAP. Writable and executable at once is refused everywhere. */
#define VX_PROT_NONE 0u
#define VX_PROT_READ 1u
#define VX_PROT_WRITE 2u
#define VX_PROT_EXEC 4u
/* MEM_ALLOC flags (beside the protection, which occupies bits 2:0) */
#define VX_MEM_RESERVE 0x10u /* address space only: a guard or a reservation; costs nothing */
#define VX_MEM_LAZY 0x20u    /* charged and zeroed on first touch */
#define VX_MEM_COMMIT 0x40u  /* charged, zeroed and mapped at once, in the largest pages that fit */
#define VX_MEM_HANDLE 0x80u  /* make a MEM capability (needs COMMIT): memory that is to be shared */
#define VX_MEM_FIXED 0x100u  /* the hint is the address; BUSY if any of it is taken */
#define VX_MEM_NO_MAP 0x200u /* with HANDLE: do not map it here */
#define VX_MEM_CONTIG 0x400u /* with HANDLE: one physically contiguous block */
/* MEM_MAP flags */
#define VX_MAP_COMMIT 0x40u  /* without a mem: also turn reserved pages of the range into committed ones */
#define VX_MAP_LAZY 0x20u    /* without a mem: also turn reserved pages of the range into lazy ones */
#define VX_MAP_RESERVE 0x10u /* without a mem: give the pages back, keep the addresses */

/* RING_CREATE flags */
#define VX_RING_CAPS 1u /* messages may carry capabilities: costs 64 further bytes a slot */

/* SIGNAL_POST: bit numbers are 0..63. THREAD_CREATE flags: */
#define VX_THREAD_DETACHED 1u
/* FUTEX_WAKE flags */
#define VX_FUTEX_REQUEUE 1u
/* WAITPID flags */
#define VX_WAIT_NOHANG 1u
/* DEVICE_BIND_IRQ: 0..63 are bits. The rest undo, and say how a line is wired that nobody is bound to */
enum vx_irq_bind : uint32_t {
    VX_IRQ_UNBIND = 64,
    VX_IRQ_LEVEL = 65,
    VX_IRQ_LEVEL_LOW = 66,
    VX_IRQ_EDGE = 67,
    VX_IRQ_EDGE_LOW = 68,
};
/* CLOCK_GET_TIME clocks. The time since 1970 is the time page's (abi/timepage.h) */
#define VX_CLOCK_MONOTONIC 0u  /* ns since boot; never goes back */
#define VX_CLOCK_TASK_CPU 2u   /* ns this Task has run */
#define VX_CLOCK_THREAD_CPU 3u /* ns this thread has run */
/* Surface formats */
#define VX_FORMAT_XRGB8888 1u

/* Why a Task ended (WAITPID's second result, low 8 bits; the upper bits hold the faulting address >> 8 << 8). */
typedef enum vx_cause : uint32_t {
    VX_CAUSE_EXIT = 0,       /* TASK_EXIT, or its last thread ended */
    VX_CAUSE_DESTROYED = 1,  /* DESTROY, or the Reticle it lived in was taken back */
    VX_CAUSE_PAGE_FAULT = 2, /* no mapping, or not for that access */
    VX_CAUSE_NO_MEMORY = 3,  /* first touch of a lazy page with an empty Reticle */
    VX_CAUSE_ILLEGAL = 4,    /* undefined or privileged instruction */
    VX_CAUSE_ALIGNMENT = 5,
    VX_CAUSE_ARITHMETIC = 6, /* division by zero, unmasked floating-point exception */
    VX_CAUSE_BREAKPOINT = 7,
    VX_CAUSE_PROTECTION = 8, /* x86 #GP: non-canonical address, forbidden port */
    VX_CAUSE_MACHINE = 9,    /* reported by the hardware: external abort, machine check */
    VX_CAUSE_STACK = 10,     /* page fault in the guard below a stack */
} vx_cause_t;

typedef enum vx_task_state : uint32_t {
    VX_TASK_RUNNING = 0,
    VX_TASK_STOPPED = 1,
    VX_TASK_DEAD = 2,
} vx_task_state_t;

/* Scheduling bands, most urgent first. */
typedef enum vx_band : uint32_t {
    VX_BAND_DRIVER = 0,
    VX_BAND_PERSON = 1,
    VX_BAND_SERVICE = 2,
    VX_BAND_NORMAL = 3,
    VX_BAND_BATCH = 4,
    VX_BAND_IDLE = 5,
} vx_band_t;
#define VX_BAND_COUNT 6u

/* TASK_CONTROL operations. `a`, `b`, `c` are its third to fifth arguments. Handle 0 means the caller's own Task.
 * All need INSPECT on another Task's capability unless said; those that change it need DESTROY as well. */
typedef enum vx_task_op : uint32_t {
    VX_TASK_INFO = 0, /* a: struct vx_task_info *, b: its size */
    /* a: struct vx_cap_facts *, b: room in entries, c: first slot index → written, next index (0: end); of both lists
     * it writes fewer than there is room for, or none, when there are many: what is next says whether there is more */
    VX_TASK_CAPS = 1,
    /* a: struct vx_thread_info *, b: room in entries, c: first thread id → written, next id (0: end) */
    VX_TASK_THREADS = 2,
    /* a: a child's Task id, or 0 for the first → handle of the child after it, its id; NOT_FOUND at the end */
    VX_TASK_NEXT_CHILD = 3,
    VX_TASK_STOP = 4, /* all its threads stop */
    VX_TASK_RESUME = 5,
    VX_TASK_READ_FRAME = 6, /* a: thread id (stopped), b: struct vx_frame * */
    VX_TASK_WRITE_FRAME = 7,
    VX_TASK_READ_MEM = 8,     /* a: its address, b: buffer, c: bytes → bytes */
    VX_TASK_WRITE_MEM = 9,    /* a: its address, b: buffer, c: bytes → bytes */
    VX_TASK_BIND_FAULT = 10,  /* a: signal bit of the caller that is posted when a thread of the Task faults; the thread
                                 stops instead of dying. 64: undo */
    VX_TASK_SET_BAND = 11,    /* a: band; own Task or DESTROY; never more urgent than the caller's ceiling */
    VX_TASK_SET_NAME = 12,    /* a: bytes, b: length (self only) */
    VX_TASK_THREAD_BAND = 13, /* a: band of the calling thread, from the Task's ceiling down (self only) */
} vx_task_op_t;

struct vx_task_info {
    uint32_t id, parent_id;
    uint32_t state; /* vx_task_state_t */
    uint32_t band;  /* vx_band_t: the ceiling */
    uint32_t threads, exit_status;
    uint32_t cause; /* vx_cause_t of its end, or until then of the last fault that was told to who bound them */
    uint32_t cap_slots, caps_used, reserved;
    uint64_t fault_address, fault_pc;
    uint64_t image_base;              /* what was added to the addresses in its ELF image; 0: not a static-PIE */
    uint64_t cpu_ns;                  /* time its threads ran */
    uint64_t start_ns;                /* monotonic time of its birth */
    uint64_t memory_bytes;            /* its Reticle, whole */
    uint64_t memory_free;             /* of that, not yet used */
    uint64_t waits, faults, switches; /* waits: system calls that had to wait */
    char name[32];                    /* NUL-terminated */
};
static_assert(sizeof(struct vx_task_info) == 152);

struct vx_thread_info {
    uint32_t id;
    uint32_t state;         /* 0 ready, 1 waiting, 2 stopped, 3 ended, 4 running */
    uint32_t band, syscall; /* the call it waits in, or 0xffffffff */
    uint64_t pc, sp, cpu_ns;
    uint64_t deadline_ns;
};
static_assert(sizeof(struct vx_thread_info) == 48);

/* A stopped thread's registers, in the architecture's own numbering (x86-64: DWARF order rax rdx rcx rbx rsi rdi rbp
 * rsp r8-r15, then rip, rflags; AArch64: x0-x30, sp, pc, pstate). */
struct vx_frame {
    uint32_t arch;  /* EM_X86_64 62 or EM_AARCH64 183 */
    uint32_t count; /* registers that follow */
    uint64_t reg[36];
};
static_assert(sizeof(struct vx_frame) == 296);
