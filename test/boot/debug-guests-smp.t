# The same on four harts, where the debug kernel also checks the order of its locks.
mode debug   harts 4   within 300s
exec "/test/syscalls && /test/rings && /test/sched && /test/vm && echo all of them"
expect /all of them/   exit 0
