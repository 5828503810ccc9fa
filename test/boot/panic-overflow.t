# A kernel stack that is used up ends in a report, which has a stack of its own.
mode debug   boot "selftest=recurse"   within 60s
expect /KERNEL PANIC: (double fault|kernel stack overflow) in the kernel/
expect /KERNEL PANIC: end of report/
reject /\[stage\] user: ok/
exit poweroff
