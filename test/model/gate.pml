// broken: 1 2 3 4 5 6
/* SPDX-License-Identifier: MIT
 * The gate: kernel/gate.h with A1 to A4, kernel/gate.c (close_for, open_for, gate_close, gate_open, gate_catch,
 * kernel_gate_closed), the ways in and out in kernel/arch/<isa> (gate_enter, gate_leave), and the calls between harts of
 * kernel/harts.c (kernel_harts_call, harts_answer), which must get their answer whatever the gate does.
 *
 * Three harts make two, one and one system calls: shared ones, of which one hart's may call the others, and such as they
 * make alone, in which they may call the others or take the thread of one away. After that they only take interrupts.
 * Properties: the owner is alone; what it catches has its registers in its frame; nobody returns to a thread that was
 * taken away; a hart that waits sees at most one owner, one that has drawn a ticket at most all others (A4);
 * everything ends.
 *
 * The memory is sequentially consistent here: a gate word only changes by read-modify-write or by its one writer, and
 * what it guards is ordered by acquire and release on that word.
 *
 * BROKEN=1 open_for() does not wait for a hart that is about to wait. 2 A hart does not look at hart->current anew when
 * it comes in. 3 close_for() does not answer calls while it waits. 4 The way in is a load and a store. 5 gate_catch()
 * only sends the interrupt. 6 The next owner is let in before the gate is open. */
#ifndef BROKEN
#define BROKEN 0
#endif
#define N 3
#define A ((me + 1) % N) /* the other two */
#define B ((me + 2) % N)
#define OPS (1 + (me == 0))

#define OUT 0
#define IN 1
#define CLOSED 2
#define WAITING 3
#define QUEUED 4

byte gate[N];
byte next_ticket, serving; /* modulo 4: at most N are drawn and not served */
byte from[N], left[N];     /* struct hart_calls */
bit ipi[N];                /* raised and not yet taken */
bit current[N];            /* the hart has a thread */
/* What the properties are said with. */
bit inside[N]; /* touches kernel data */
bit saved[N];  /* the thread's registers are in its frame, and in no hart */
bit alone;
bit drawn[N];  /* has a ticket */
byte turns[N]; /* owners since it waits, or has drawn its ticket */

inline answer()
{
    d_step {
        if
        :: (from[me] >> A) & 1 -> left[A]--
        :: else
        fi;
        if
        :: (from[me] >> B) & 1 -> left[B]--
        :: else
        fi;
        from[me] = 0
    }
}

/* kernel_harts_call() to all others. */
inline call_others()
{
    atomic { left[me] = N - 1; from[A] = from[A] | (1 << me); ipi[A] = 1 }
    atomic { from[B] = from[B] | (1 << me); ipi[B] = 1 }
    do
    :: left[me] == 0 -> break
    :: from[me] != 0 -> answer()
    od
}

/* gate_enter(); kernel_gate_closed() */
inline enter()
{
#if BROKEN == 4
    old = gate[me];
    gate[me] = IN;
    saved[me] = 1;
#else
    atomic { saved[me] = 1; old = gate[me]; gate[me] = IN }
#endif
    if
    :: old == OUT
    :: else ->
        atomic { gate[me] = WAITING; turns[me] = 0 }
        do
        :: gate[me] == IN -> break
        :: from[me] != 0 -> answer()
        od
    fi;
    old = 0
}

inline close_for(h)
{
    do
    :: atomic { gate[h] == OUT -> gate[h] = CLOSED } break
    :: gate[h] != OUT && gate[h] != IN -> break
#if BROKEN != 3
    :: from[me] != 0 -> answer()
#endif
    od
}

inline open_for(h)
{
    do
    :: gate[h] == QUEUED -> break
    :: atomic { gate[h] == WAITING -> gate[h] = IN } break
    :: atomic { gate[h] == CLOSED -> gate[h] = OUT } break
#if BROKEN == 1
    :: gate[h] == IN -> break
#endif
    od
}

inline stays_out(h)
{
    assert(!inside[h]);
    if
    :: gate[h] == WAITING -> turns[h]++; assert(turns[h] <= 1)
    :: gate[h] == QUEUED && !drawn[h]
    :: gate[h] == QUEUED && drawn[h] -> turns[h]++; assert(turns[h] <= N - 1)
    :: else -> assert(gate[h] == CLOSED || gate[h] == IN) /* IN: between the exchange and WAITING */
    fi
}

inline gate_close()
{
    gate[me] = QUEUED;
    atomic { ticket = next_ticket; next_ticket = (next_ticket + 1) % 4; turns[me] = 0; drawn[me] = 1 }
    do
    :: serving == ticket -> break
    :: from[me] != 0 -> answer()
    od;
    close_for(A);
    close_for(B);
    atomic {
        gate[me] = IN;
        drawn[me] = 0;
        alone = 1;
        stays_out(A);
        stays_out(B)
    }
}

inline gate_open()
{
    alone = 0;
#if BROKEN == 6
    serving = (serving + 1) % 4;
#endif
    open_for(A);
    open_for(B);
#if BROKEN != 6
    serving = (serving + 1) % 4
#endif
}

/* gate_catch(), then sched_forget(): the thread may run elsewhere or be freed now. */
inline take_thread(h)
{
    if
    :: current[h] ->
        ipi[h] = 1;
#if BROKEN != 5
        do
        :: gate[h] == WAITING || gate[h] == QUEUED -> break
        :: from[me] != 0 -> answer()
        od;
#endif
        assert(saved[h]);
        current[h] = 0
    :: else
    fi
}

inline touch() { inside[me] = 1; assert(!alone) }

proctype hart(byte me)
{
    byte old, ticket, ops;
    bit is_call;
user:
    atomic { assert(current[me]); saved[me] = 0; turns[me] = 0 }
end:
    if
    :: atomic { ops < OPS -> ops++; is_call = 1 }
    :: atomic { ipi[me] -> ipi[me] = 0; is_call = 0 }
    fi;
    enter();
#if BROKEN != 2
    if
    :: !current[me] -> goto switch
    :: else
    fi;
#endif
    touch();
    if
    :: !is_call -> answer() /* kernel_ipi() */
    :: is_call -> skip
    :: is_call && me == 1 -> call_others()
    :: is_call ->
        inside[me] = 0;
        gate_close();
        if
        :: current[me] ->
            if
            :: skip
            :: me != 2 -> call_others()
            :: take_thread(A)
            fi
        :: else /* gate_close() gives false */
        fi;
        gate_open()
    fi;
switch: /* sched_run(), if it has none; and arch_resume() */
    atomic { inside[me] = 0; current[me] = current[me] || BROKEN != 2; is_call = 0; ticket = 0 }
    gate[me] = OUT;
    goto user
}

init
{
    atomic {
        byte h = 0;
        do
        :: h < N -> current[h] = 1; run hart(h); h++
        :: else -> break
        od
    }
}
