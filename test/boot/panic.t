# A panic names its reason and the functions that led to it.
mode debug   boot "selftest=panic"   within 60s
expect /KERNEL PANIC: asked for by selftest=panic/
expect /backtrace:/
expect /selftest_report\+0x/
expect /kernel_main\+0x/
expect /KERNEL PANIC: end of report/
reject /\[stage\] user: ok/
exit poweroff
