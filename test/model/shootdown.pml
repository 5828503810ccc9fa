// broken: 1 2 3 4
/* SPDX-License-Identifier: MIT
 * The shootdown of x86_64, invariant 4 of kernel/arch/x86_64/mmu.c: after arch_tlb_flush_range() no hart uses an old
 * translation, whenever another hart activates or leaves the address space. The C functions are arch_tlb_flush_range,
 * arrive, depart and cr3_of.
 *
 * Each side has a store buffer of one entry: a store can stay unseen by the other side until a fence, or until the
 * hardware feels like it. The hart may fill its TLB from the table at any time while cr3 points there. With PCID=1 what
 * it has cached survives in the TLB after it left, under the stamp that was then current.
 * BROKEN=1 leaves out the changer's fence, 2 the hart's (its bit set by a plain store), 3 clears the bit before cr3 is
 * loaded, 4 reads the stamp before the bit is set. */
#ifndef BROKEN
#define BROKEN 0
#endif
#define ROUNDS 2

bit pcid = 0;
byte table = 0;         /* what the entry maps: as memory shows it */
byte table_stored = 0;  /* the changer's store buffer */
bit mask = 0, mask_stored = 0;
byte stamp = 1, stamp_stored = 1;
bit asked = 0;          /* a call that waits for the hart */
bit current = 0;        /* cr3 points there */
bit cached = 0;         /* the TLB has a translation... */
byte translation = 0;   /* ...to this */
byte kept = 0;          /* the stamp it was kept under; 0: none */
byte freed = 0;         /* translations below this one lead to memory that is somebody else's now */

active proctype memory()
{
end:
    do
    :: atomic { table != table_stored -> table = table_stored }
    :: atomic { mask != mask_stored -> mask = mask_stored }
    :: atomic { stamp != stamp_stored && table == table_stored -> stamp = stamp_stored } /* in the order of stores */
    od
}

active proctype changer()
{
    byte round = 0;
    if
    :: pcid = 0
    :: pcid = 1
    fi;
    do
    :: round == ROUNDS -> break
    :: round < ROUNDS ->
        round++;
        table_stored = round;
        stamp_stored = round + 1;
#if BROKEN != 1
        atomic { table = table_stored; stamp = stamp_stored } /* the fence */
#endif
        if
        :: mask -> asked = 1; (asked == 0)
        :: else -> skip
        fi;
        freed = round
    od
}

/* What interrupts and harts_poll() do. */
inline answer() { atomic { asked -> asked = 0; if :: current -> cached = 0 :: else -> skip fi } }

active proctype hart()
{
    byte seen;
end:
    do
    :: answer()
    :: /* arch_aspace_activate(as) */
#if BROKEN == 4
        seen = stamp;
#endif
        mask_stored = 1;
#if BROKEN != 2
        mask = 1;
#endif
#if BROKEN != 4
        seen = stamp;
#endif
        atomic {
            if
            :: !pcid || kept != seen -> cached = 0
            :: else -> skip
            fi;
            kept = seen; current = 1
        }
        do
        :: answer()
        :: atomic { !cached -> cached = 1; translation = table }
        :: atomic { cached -> assert(translation >= freed) } /* a user access */
        :: break
        od;
        /* arch_aspace_activate(another): the old one's bit goes last */
#if BROKEN == 3
        mask_stored = 0; mask = 0;
        atomic { cached -> assert(translation >= freed) }
#endif
        atomic { current = 0; if :: !pcid -> cached = 0 :: else -> skip fi }
#if BROKEN != 3
        mask_stored = 0; mask = 0
#endif
    od
}
