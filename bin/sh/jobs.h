/* SPDX-License-Identifier: MIT
 * Processes that this shell started. A job belongs to the subshell (by its depth) that started it. */
#pragma once
#include "ast.h"
#include <sys/types.h>

enum job_state : unsigned char { JOB_RUNS, JOB_STOPPED, JOB_DONE };
struct process {
    pid_t pid;
    int status; /* as waitpid has it */
    enum job_state state;
};
struct job {
    struct job *next;
    unsigned number; /* 0: not in the background yet */
    unsigned depth;
    pid_t group;             /* 0: that of the shell */
    char *text;              /* for people; nullptr: not needed yet */
    const struct node *node; /* what the text is made of, while it is waited for in front */
    bool waited, told;
    unsigned n, room;
    struct process *process; /* the last one's status is the job's */
};

struct job *job_new(void);
void job_add(struct job *j, pid_t pid);
/* Waits until all of it has ended or stopped: the exit status. A job that ended is forgotten. */
int job_wait(struct job *j);
/* It goes on by itself: gets its number; $! is its last process. */
void job_background(struct job *j, const struct node *n);
void job_forget(struct job *j);
/* Jobs from this depth on belong to nobody any more. */
void jobs_disown(unsigned depth);
/* Takes notice of what has ended, without waiting; tells about it in an interactive shell. */
void jobs_look(bool tell);
/* "%1", "%name", "%+": nullptr with a message. */
struct job *job_named(const char *name, const char *who);
struct job *job_of_pid(pid_t pid);

int job_status(const struct job *j);
enum job_state job_state(const struct job *j);

/* Built-in commands. */
int builtin_jobs(int argc, char **argv);
int builtin_fg(int argc, char **argv);
int builtin_bg(int argc, char **argv);
int builtin_wait(int argc, char **argv);
int builtin_kill(int argc, char **argv);

/* Job control. With it on and a terminal that this shell is in front of, the shell takes that for itself and its jobs;
 * with it off (and when the shell ends) whoever was in front before has it again. */
void jobs_monitor(bool on);
/* The terminal's keys make signals for the group in front, and the shell says which one that is. */
bool jobs_have_terminal(void);
/* The shell passes ^C on to what it waits for, where the terminal does not. */
extern bool jobs_pass_interrupts;
