// broken: 1 2 3 4 5 6 7 8
/* SPDX-License-Identifier: MIT
 * The end of a thread: sys_thread_exit, end_self, retire, thread_free, sys_thread_join (kernel/thread.c), task_kill
 * (kernel/task.c), sched_remove, sched_forget, open_inbox, kernel_timer, expire (kernel/sched.c), gate_catch
 * (kernel/gate.c), sys_waitpid (kernel/sys_task.c).
 *
 * Threads E, J and K are of one Task. E ends; J joins it, with or without a deadline, and K looks whether it can;
 * another Task kills theirs and then drops its last capability to it, which frees the Task's record. Hart 0 is J's home,
 * and it is W's, who waits for the Task's end, with a deadline, under the lock in the Task's record. Properties: E's end is
 * told to one joiner at most; each record is freed once; nobody runs a thread, or touches a record, that is freed.
 *
 * Threads of the Task end and join among others, under the Task's LOCK_VM, and under LOCK_TASK inside it where a joiner
 * waits or is told; who kills it is alone (test/model/gate.pml), and catches a hart that runs what it ends.
 *
 * BROKEN=1 A joiner that was woken frees what it waited for without looking it up again. 2 Who ends a thread does not
 * look for it in the inbox of its home. 3 Who ends a thread leaves its timer in the tree. 4 Who ends a thread does not
 * catch the hart that runs it. 5 kernel_timer() looks at its deadlines before its inbox: whose wait has ended still has a
 * timer there, and what it waited for may be gone. At the time of writing sched.c did what 5 says. 6 end_self() completes the joiner's
 * call and keeps the record. 7 It does so without LOCK_TASK, while the joiner's deadline passes. 8 THREAD_JOIN looks for
 * the thread without LOCK_VM. */
#ifndef BROKEN
#define BROKEN 0
#endif

bit alone;
bit e_ended, e_freed;
byte told;
bit task_dead, task_freed;
/* J, a thread of hart 0. */
bit j_waits, j_ready, j_in_inbox, j_in_tree, j_runs, j_freed, j_done;
/* W, a thread of hart 0 and of another Task. */
bit w_waits, w_in_inbox, w_in_tree, w_ready;
byte inside; /* harts that are in the kernel, among others; else they are in user mode, idle or at the gate */
bit vm_lock, task_lock;

inline gate_close() { atomic { !alone && inside == 0 -> alone = 1 } }
inline gate_open() { alone = 0 }
inline gate_enter() { atomic { !alone -> inside++ } }
inline gate_leave() { atomic { assert(inside != 0); inside-- } }
inline take(l) { atomic { !l -> l = 1 } }
inline release(l) { l = 0 }

inline free_e() { d_step { assert(!e_freed); e_freed = 1 } }

/* thread_end(): the call of a joiner that waits is over, and the record goes; thread_wake() by another hart. */
inline tell_j()
{
    if
    :: j_waits ->
        d_step { assert(!j_freed && j_waits); told++; j_done = 1; j_waits = 0; j_in_inbox = 1 }
#if BROKEN != 6
        free_e()
#endif
    :: else
    fi
}

proctype E()
{
    gate_enter();
    if
    :: !task_dead -> /* else it was taken away at the gate */
        take(vm_lock);
        e_ended = 1;
#if BROKEN != 7
        take(task_lock);
#endif
        tell_j();
#if BROKEN != 7
        release(task_lock);
#endif
        release(vm_lock)
    :: else
    fi;
    gate_leave()
}

proctype K()
{
    gate_enter();
    if
    :: !task_dead ->
        take(vm_lock);
        if
        :: e_ended && !e_freed -> told++; free_e()
        :: else
        fi;
        release(vm_lock)
    :: else
    fi;
    gate_leave()
}

proctype killer()
{
    gate_close();
    task_dead = 1;
    /* thread_free(E), thread_free(J) */
    if
    :: !e_freed -> e_ended = 1; free_e()
    :: else
    fi;
    d_step {
        j_waits = 0;
#if BROKEN != 3
        j_in_tree = 0;
#endif
#if BROKEN != 2
        j_in_inbox = 0;
        j_ready = 0;
#else
        j_ready = 0;
#endif
#if BROKEN != 4
        j_runs = 0; /* gate_catch(), current = nullptr */
#endif
        assert(!j_freed);
        j_freed = 1
    }
    /* exit_waiters */
    d_step {
        if
        :: w_waits -> w_waits = 0; w_in_inbox = 1
        :: else
        fi
    }
    gate_open();
    gate_close(); /* CAP_DROP */
    task_freed = 1;
    gate_open()
}

/* kernel_timer() of hart 0: the deadline of J or W has passed. */
inline tick()
{
#if BROKEN != 5
    open_inbox();
#endif
    if
    :: w_in_tree -> w_in_tree = 0; assert(!task_freed); take(task_lock);
        if
        :: w_waits -> w_waits = 0; w_ready = 1
        :: else
        fi;
        release(task_lock)
    :: else
    fi;
    if
    :: j_in_tree -> take(task_lock); assert(!j_freed); j_in_tree = 0;
        if
        :: j_waits -> j_waits = 0; j_ready = 1
        :: else
        fi;
        release(task_lock)
    :: else
    fi
}

inline open_inbox()
{
    d_step {
        if
        :: j_in_inbox -> assert(!j_freed); j_in_inbox = 0; j_in_tree = 0; j_ready = 1
        :: else
        fi;
        if
        :: w_in_inbox -> w_in_inbox = 0; w_in_tree = 0; w_ready = 1
        :: else
        fi
    }
}

/* THREAD_JOIN; woken: it is run again. */
inline join(woken)
{
    gate_enter();
    if
    :: !j_runs /* it was taken away at the gate: sched_run() */
    :: else ->
        assert(!j_freed);
#if BROKEN == 8
        found = (e_freed -> 2 : e_ended);
        take(vm_lock);
#else
        take(vm_lock);
        found = (e_freed -> 2 : e_ended);
#endif
        if
#if BROKEN == 1
        :: woken -> told++; free_e(); j_done = 1
        :: !woken && found == 2 -> j_done = 1
#else
        :: found == 2 -> j_done = 1 /* NOT_FOUND */
#endif
        :: found == 1 && !(BROKEN == 1 && woken) -> told++; free_e(); j_done = 1
        :: found == 0 && !(BROKEN == 1 && woken) ->
            take(task_lock);
            j_runs = 0;
            if
            :: j_in_tree = 1; j_waits = 1
            :: j_waits = 1
            :: woken -> j_done = 1; j_runs = 1 /* TIMED_OUT */
            fi;
            release(task_lock)
        fi;
        release(vm_lock)
    fi;
    gate_leave()
}

proctype hart0()
{
    byte found;
    join(0);
end:
    do
    :: j_runs && j_done -> /* it goes on in user mode, and later in the kernel */
        gate_enter();
        if
        :: j_runs -> assert(!j_freed); j_runs = 0
        :: else
        fi;
        gate_leave()
    :: j_in_tree || w_in_tree -> gate_enter(); tick(); gate_leave()
    :: j_in_inbox || w_in_inbox -> gate_enter(); open_inbox(); gate_leave()
    :: j_ready ->
        gate_enter();
        if
        :: j_ready -> j_ready = 0; assert(!j_freed); j_runs = 1
        :: else
        fi;
        gate_leave();
        if
        :: !j_done -> join(1)
        :: else
        fi
    od
}

init
{
    atomic {
        j_runs = 1;
        w_waits = 1;
        w_in_tree = 1;
        run E();
        run K();
        run killer();
        run hart0()
    }
}

active proctype nothing_more()
{
end:
    timeout;
    assert(told <= 1 && e_freed && j_freed && task_freed && w_ready)
}
