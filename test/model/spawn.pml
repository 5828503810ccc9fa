// broken: 1 2 3 4 5 6 7
/* SPDX-License-Identifier: MIT
 * A call in steps against what goes between two of them: sys_spawn, spawn_some, create_child, give_all, move
 * (kernel/spawn.c), sys_step (kernel/syscall.h). A step is alone, and so is whatever comes between: another thread of
 * the caller's Task, who pays for the child, who owns the image, who ends the Task.
 *
 * The caller copies a specification into a block of its own Reticle, makes the child, reads the image twice, looks up two
 * capabilities that move, moves them, and starts the child. In between, each at any time and once: the Task is ended;
 * the capability without rights that names the child is dropped; who pays for the child goes; the image's object ends, or
 * the caller's capability of it goes; one of the two that move is taken away. Properties: nothing is used that is gone
 * (image, child, a place of the table); nothing goes twice; in the end the block is back, and the child is living only
 * if the call succeeded and nobody ended it after that. A call that failed before it was decided has moved nothing; what
 * it moved later has gone with the child.
 *
 * BROKEN=1 A step uses the child without looking whether its capability still names it. 2 A step does not look up the
 * image again. 3 The child gets its capability in the last step. 4 Each capability is moved when it is looked up. 5
 * The block is the kernel's and not the caller's Reticle's. 6 What moves is not looked up again. 7 A call that fails
 * ends the child that it remembers, and not what its capability names. */
#ifndef BROKEN
#define BROKEN 0
#endif
mtype = { NONE, MADE, FREED };            /* the child */
mtype = { NOTHING, NAMES, RIGHTS, TOMB }; /* the caller's capability of it */
mtype = { CALLER, CHILD, GONE };          /* where a capability is */
mtype = { RUNS, OK, FAILED, DEAD };       /* the call; DEAD: its Task ended */

mtype child = NONE, handle = NOTHING, at0 = CALLER, at1 = CALLER, call = RUNS;
bit block;                /* in use */
bit own_image = 1;        /* the caller's capability of the image */
bit child_image;          /* the one that the child's table holds */
bit image_freed;
bit taken0, taken1;       /* by another thread, or with the Task */
bit decided;
bit caller_done, others_done;

inline end_child()
{
    assert(child == MADE); /* once */
    child = FREED;
    child_image = 0;
    if
    :: at0 == CHILD -> at0 = GONE
    :: else
    fi;
    if
    :: at1 == CHILD -> at1 = GONE
    :: else
    fi;
    if
    :: handle != NOTHING -> handle = TOMB
    :: else
    fi
}

/* Whether a step may go on with the child. */
#if BROKEN == 1
#define CHILD_IS_THERE 1
#else
#define CHILD_IS_THERE (handle == NAMES || BROKEN == 3)
#endif
#if BROKEN == 2
#define IMAGE_IS_THERE 1
#else
#define IMAGE_IS_THERE (own_image && child_image)
#endif

active proctype caller()
{
    byte reads;
    atomic { /* first step: the block, and the specification in it */
        if
        :: call == DEAD -> goto over
        :: else -> block = 1
        fi
    }
    atomic { /* the child */
        if
        :: call == DEAD -> goto over
        :: call != DEAD && !own_image -> goto fails
        :: else
        fi;
        child = MADE;
        child_image = 1;
#if BROKEN != 3
        handle = NAMES
#endif
    }
    do
    :: reads < 2 ->
        atomic {
            if
            :: call == DEAD -> goto over
            :: call != DEAD && !(CHILD_IS_THERE && IMAGE_IS_THERE) -> goto fails
            :: else
            fi;
            assert(child == MADE && !image_freed);
            reads++
        }
    :: else -> break
    od;
    atomic { /* nothing fails behind this, but by others */
        if
        :: call == DEAD -> goto over
        :: call != DEAD && !(CHILD_IS_THERE && IMAGE_IS_THERE) -> goto fails
        :: else
        fi;
        assert(child == MADE);
#if BROKEN == 4
        if
        :: at0 == CALLER -> at0 = CHILD
        :: else -> goto fails
        fi;
        if
        :: at1 == CALLER -> at1 = CHILD
        :: else -> goto fails
        fi;
#else
        if
        :: at0 != CALLER || at1 != CALLER -> goto fails
        :: else
        fi;
#endif
        decided = 1
    }
    atomic {
        if
        :: call == DEAD -> goto over
        :: call != DEAD && !CHILD_IS_THERE -> goto fails
        :: else
        fi;
        assert(child == MADE);
        if
        :: at0 == CALLER -> at0 = CHILD
        :: else -> assert(BROKEN != 6)
        fi
    }
    atomic {
        if
        :: call == DEAD -> goto over
        :: call != DEAD && !CHILD_IS_THERE -> goto fails
        :: else
        fi;
        assert(child == MADE);
        if
        :: at1 == CALLER -> at1 = CHILD
        :: else -> assert(BROKEN != 6)
        fi
    }
    atomic { /* it starts */
        if
        :: call == DEAD -> goto over
        :: call != DEAD && !CHILD_IS_THERE -> goto fails
        :: else
        fi;
        assert(child == MADE);
        handle = RIGHTS;
        block = 0;
        call = OK;
        goto over
    }
fails:
    atomic {
        if
        :: call == DEAD -> goto over
        :: else
        fi;
#if BROKEN == 7
        if
        :: child != NONE -> end_child()
        :: else
        fi;
#else
        if
        :: handle == NAMES -> end_child()
        :: else
        fi;
#endif
        handle = NOTHING; /* also a tombstone */
        block = 0;
        call = FAILED
    }
over:
    caller_done = 1
}

active proctype others()
{
    bit killed, dropped, paid, ended, dropped_image, took0, took1;
    do
    :: atomic { !killed && call == RUNS ->
           killed = 1;
           if
           :: handle == NAMES -> end_child()
           :: else
           fi;
           handle = NOTHING;
           own_image = 0;
           if
           :: at0 == CALLER -> at0 = GONE; taken0 = 1
           :: else
           fi;
           if
           :: at1 == CALLER -> at1 = GONE; taken1 = 1
           :: else
           fi;
#if BROKEN != 5
           block = 0;
#endif
           call = DEAD
       }
    :: atomic { !dropped && handle == NAMES -> dropped = 1; end_child(); handle = NOTHING }
    :: atomic { !paid && child == MADE -> paid = 1; end_child() }
    :: atomic { !ended -> ended = 1; image_freed = 1; own_image = 0; child_image = 0 }
    :: atomic { !dropped_image -> dropped_image = 1; own_image = 0 }
    :: atomic { !took0 && at0 == CALLER -> took0 = 1; taken0 = 1; at0 = GONE }
    :: atomic { !took1 && at1 == CALLER -> took1 = 1; taken1 = 1; at1 = GONE }
    :: break
    od;
    others_done = 1
}

/* When nothing more happens. */
active proctype judge()
{
    caller_done && others_done;
    atomic {
        assert(!block);
        assert(call == OK || child != MADE);
        assert(child != MADE || (handle == RIGHTS && call == OK));
        if
        :: call == FAILED && !decided ->
            assert(at0 == CALLER || taken0);
            assert(at1 == CALLER || taken1)
        :: else -> assert((at0 != CHILD && at1 != CHILD) || child == MADE)
        fi
    }
}
