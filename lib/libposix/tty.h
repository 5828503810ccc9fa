/* SPDX-License-Identifier: MIT
 * Job control: which process group is in front on the session's terminal. console.c is the terminal itself. */
#pragma once
#include "posix.h"

/* tcsetpgrp, tcgetpgrp, TIOCSCTTY. */
long px_tty_set_front(int group);
long px_tty_front(int *group);
long px_tty_claim(void);
/* Something that only the group in front may do (SIGTTIN: read; SIGTTOU: change). 0: go ahead. -EINTR: the group was
 * signalled, so do it again when the signal was delivered. -EIO: it would be of no use. */
long px_tty_background(int signal);
