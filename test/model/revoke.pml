// broken: 1 2 3 4 5
/* SPDX-License-Identifier: MIT
 * CAP_REVOKE against capabilities that move: cap_revoke, cap_derive, cap_move, cap_delete (kernel/cap.c),
 * sys_ring_send_cap, receive, sys_alone at its end (kernel/sys_ring.c, kernel/syscall.c), sys_mem_map, sys_mem_free
 * (kernel/sys_mem.c), vm_unmap_object (kernel/vm_unmap.c).
 *
 * Slot 0 is a capability of Task R; 1, derived from it, is Task S's; 2 is a place in flight in a Ring from S to Task T;
 * 3 is T's. S sends copies of 1 and may revoke what it derived, or drop 1. T receives, maps memory through what it got,
 * and uses it. R revokes what was derived from 0, at every leaf letting others in at the gate, as a revoke in steps
 * would (today's does it all at once, which is one of the runs). Property: when R's revoke has returned, nothing
 * derived from slot 0 is left anywhere, and no mapping that was made through it.
 *
 * The gate is taken as test/model/gate.pml shows it to be: one alone, or any number inside together.
 *
 * BROKEN=1 A receive that finds that it has to be alone goes on, then, with what it found before. 2 MEM_MAP looks its capability up before it is alone, and
 * not again. 3 The revoke returns when all is gone that was there when it began. 4 Dropping a capability leaves those
 * derived from it without a parent. 5 Revoking does not reach into Rings. */
#ifndef BROKEN
#define BROKEN 0
#endif
#define NONE 4

bit alone;
byte inside;
bit live[4];
byte parent[4];
bit mapped; /* T's memory has an area made through slot 3 */
bit derived[4]; /* from slot 0, whatever the tree says */

inline gate_close() { atomic { !alone && inside == 0 -> alone = 1 } }
inline gate_open() { alone = 0 }
inline gate_enter() { atomic { !alone -> inside++ } }
inline gate_leave() { inside-- }

/* Is k below slot 0? No chain is longer than three. */
#define PARENT(k) (parent[k])
#define BELOW(k) \
    (live[k] && (parent[k] == 0 || (parent[k] != NONE && (parent[parent[k]] == 0 || \
     (parent[parent[k]] != NONE && parent[parent[parent[k]]] == 0)))))

inline delete(k)
{
    d_step {
        if
        :: k == 3 -> mapped = 0 /* tell_object(), and a TLB shootdown: test/model/unmap.pml */
        :: else
        fi;
        live[k] = 0;
        j = 1;
        do
        :: j < 4 ->
            if
#if BROKEN == 4
            :: live[j] && parent[j] == k -> parent[j] = NONE
#else
            :: live[j] && parent[j] == k -> parent[j] = parent[k]
#endif
            :: else
            fi;
            j++
        :: else -> break
        od;
        j = 0
    }
}

#define HAS_CHILD(k) ((live[1] && parent[1] == k) || (live[2] && parent[2] == k) || (live[3] && parent[3] == k))
#if BROKEN == 5
#define REACHED(k) (k != 2)
#else
#define REACHED(k) true
#endif
#define LEAF(k) (live[k] && !HAS_CHILD(k) && REACHED(k))

#define LEFT ((live[1] && derived[1]) || (live[2] && derived[2]) || (live[3] && derived[3]))

proctype revoker()
{
    byte j;
    bit was[4];
    gate_close();
#if BROKEN == 3
    d_step { was[1] = live[1]; was[2] = live[2]; was[3] = live[3] }
#else
    d_step { was[1] = 1; was[2] = 1; was[3] = 1 }
#endif
    do
    :: LEAF(1) && BELOW(1) && was[1] -> delete(1)
    :: LEAF(2) && BELOW(2) && was[2] -> delete(2)
    :: LEAF(3) && BELOW(3) && was[3] -> delete(3)
    :: gate_open(); gate_close() /* a step ends */
    :: !(LEAF(1) && BELOW(1) && was[1]) && !(LEAF(2) && BELOW(2) && was[2]) && !(LEAF(3) && BELOW(3) && was[3]) -> break
    od;
    atomic { assert(!LEFT); gate_open() }
end: /* nor does anything of it come back */
    atomic { LEFT -> assert(false) }
}

proctype sender()
{
    byte j, left = 3;
    do
    :: left == 0 -> break
    :: left > 0 -> /* RING_SEND_CAP: the place is free */
        left--;
        gate_close();
        if
        :: live[1] && !live[2] -> d_step { live[2] = 1; parent[2] = 1; derived[2] = 1 }
        :: else
        fi;
        gate_open()
    :: left > 0 -> /* CAP_REVOKE of slot 1 */
        left--;
        gate_close();
        if
        :: live[1] ->
            do
            :: LEAF(2) && parent[2] == 1 -> delete(2)
            :: LEAF(3) && parent[3] == 1 -> delete(3)
            :: !(LEAF(2) && parent[2] == 1) && !(LEAF(3) && parent[3] == 1) -> break
            od
        :: else
        fi;
        gate_open()
    :: left > 0 -> /* CAP_DROP */
        left--;
        gate_close();
        if
        :: live[1] -> delete(1)
        :: else
        fi;
        gate_open()
    od
}

proctype receiver()
{
    byte j, left = 3;
    bit found;
    do
    :: left == 0 -> break
    :: left > 0 -> /* RING_RECV_CAP: a look among others, then from the start, alone */
        left--;
        gate_enter();
        found = live[2];
        gate_leave();
        if
        :: found ->
            gate_close();
            if
#if BROKEN == 1
            :: !live[3] ->
#else
            :: live[2] && !live[3] ->
#endif
                d_step { live[2] = 0; parent[3] = parent[2]; derived[3] = derived[2]; live[3] = 1 } /* cap_move() */
            :: else
            fi;
            gate_open()
        :: else
        fi
    :: left > 0 -> /* MEM_MAP */
        left--;
#if BROKEN == 2
        gate_enter();
        found = live[3];
        gate_leave();
        gate_close();
#else
        gate_close();
        found = live[3];
#endif
        if
        :: found -> mapped = 1
        :: else
        fi;
        gate_open()
    :: mapped -> /* user code uses it, until it is unmapped */
        d_step {
            if
            :: mapped -> assert(live[3])
            :: else
            fi
        }
        break
    od;
end: /* what it uses is there as long as its capability */
    atomic { mapped && !live[3] -> assert(false) }
}

init
{
    atomic {
        live[0] = 1;
        live[1] = 1;
        derived[1] = 1;
        parent[0] = NONE;
        parent[2] = NONE;
        parent[3] = NONE;
        run revoker();
        run sender();
        run receiver()
    }
}
