# A function that writes beyond its array does not return: the kernel says so instead.
mode debug   boot "selftest=stack"   within 60s
expect /KERNEL PANIC: a kernel stack was written over/
expect /KERNEL PANIC: end of report/
reject /\[stage\] user: ok/
exit poweroff
