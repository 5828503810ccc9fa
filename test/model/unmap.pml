// broken: 1 2 3 4 5 6 7
/* SPDX-License-Identifier: MIT
 * Unmapping as a whole: pt_edit_end and pt_take_page (kernel/pt.c, P3), arch_tlb_flush_range, flush_here, arrive,
 * depart, cr3_of, arch_aspace_activate (kernel/arch/x86_64/mmu.c, invariant 4), kernel_harts_call and harts_answer
 * (kernel/harts.c), lock_wait (kernel/lock.c). test/model/shootdown.pml has the bits and stamps of two harts that go on
 * for ever; here are the lock, the acknowledgement, and the frame.
 *
 * Hart 0 unmaps a page of an address space: it takes the Task's LOCK_VM, clears the entry, takes a fresh stamp, looks
 * whose bit is set, asks those to flush, waits for them, and gives the frame back, which at once is somebody else's.
 * Hart 1 switches between that address space and another one, runs user code and copies for system calls in the first,
 * and takes the same lock, with a call asked of it while it spins. It has a number (PCID) for the address space, under
 * which it keeps translations when it leaves. Property: nobody uses the translation once the frame is somebody else's;
 * and both come to an end.
 *
 * Memory: hart 0's stores of the entry and the stamp, in this order, stay in its store buffer until a fence, a locked
 * instruction, or any later time; so does hart 1's bit, unless it is set by a locked instruction.
 *
 * On aarch64 there are no bits and no calls: TLBI is broadcast and DSB waits until every hart has ended what it did with
 * the old translation, which is `!pending` here; a number belongs to one address space from arch_aspace_init() to
 * arch_aspace_fini(), and is free again only after a flush.
 *
 * BROKEN=1 The bit is set after the address space was loaded. 2 The frame is given back before all have flushed. 3 Who
 * spins for a lock answers no calls. 4 There is no fence between the change of the entry and the look at the bits. 5
 * The stamp stays the same, so that a hart which comes back finds what it kept. 6 The bit is set without a fence. 7 The
 * fresh stamp can be seen before the changed entry (on x86_64 it cannot: stores are seen in order). */
#ifndef BROKEN
#define BROKEN 0
#endif

bit entry = 1, entry_seen = 1; /* present: as hart 0 wrote it, and as walks see it */
bit stamp, stamp_seen;
bit is_set, bit_seen; /* hart 1's bit in aspace.harts */
bit asked, pending;      /* hart_calls.from of hart 1, .left of hart 0 */
bit vm_lock;
bit freed; /* the frame is somebody else's */
/* Hart 1. */
bit loaded;    /* cr3 is this address space's */
bit tlb;       /* it holds the translation, under the number it gave */
bit has_stamp; /* what it keeps under that number is of this stamp */
bit numbered;  /* it gave a number at all */

active proctype memory()
{
end:
    do
    :: atomic { entry_seen != entry -> entry_seen = entry }
#if BROKEN == 7
    :: atomic { stamp_seen != stamp -> stamp_seen = stamp }
#else
    :: atomic { stamp_seen != stamp && entry_seen == entry -> stamp_seen = stamp }
#endif
    :: atomic { bit_seen != is_set -> bit_seen = is_set }
    od
}

active proctype unmaps()
{
    atomic { !vm_lock -> vm_lock = 1; entry_seen = entry }
    entry = 0;
#if BROKEN != 5
    stamp = 1;
#endif
#if BROKEN != 4
    atomic { entry_seen = entry; stamp_seen = stamp }
#endif
    if
    :: bit_seen ->
        pending = 1;
        atomic { asked = 1; entry_seen = entry; stamp_seen = stamp } /* locked, and an interrupt is sent */
#if BROKEN != 2
        !pending
#endif
    :: else
    fi;
    freed = 1;
    entry_seen = entry;
    vm_lock = 0
}

/* flush_here(), if it is loaded */
inline answer()
{
    d_step {
        asked = 0;
        if
        :: loaded -> tlb = 0
        :: else
        fi;
        pending = 0
    }
}

/* The hardware: from the TLB, or by a walk. */
inline touch()
{
    d_step {
        if
        :: tlb -> assert(!freed)
        :: !tlb && entry_seen -> tlb = 1; assert(!freed)
        :: else /* a fault */
        fi
    }
}

inline load_cr3()
{
    d_step {
        if
        :: numbered && has_stamp == stamp_now /* CR3_KEEP */
        :: else -> tlb = 0; numbered = 1; has_stamp = stamp_now
        fi;
        loaded = 1
    }
}

active proctype other()
{
    bit stamp_now;
    byte rounds;
outside: /* in another address space, in the kernel */
    if
    :: rounds == 2 -> goto done
    :: rounds < 2 -> rounds++
    fi;
#if BROKEN == 1
    stamp_now = stamp_seen;
    load_cr3();
    atomic { is_set = 1; bit_seen = 1 }
#else
#if BROKEN == 6
    is_set = 1;
#else
    atomic { is_set = 1; bit_seen = 1 }
#endif
    stamp_now = stamp_seen;
    load_cr3();
#endif
    do
    :: touch() /* user code; or a copy, in the kernel, where no interrupt comes */
    :: asked -> answer() /* the interrupt, or harts_poll() */
    :: true -> /* a system call that needs the lock */
        do
        :: atomic { !vm_lock -> vm_lock = 1 } break
#if BROKEN != 3
        :: asked -> answer()
#endif
        od;
        touch();
        vm_lock = 0
    :: true -> break
    od;
    loaded = 0; /* cr3 is another one's */
    atomic { is_set = 0; bit_seen = 0 }
    goto outside;
done:
end:
    do
    :: asked -> answer()
    od
}
