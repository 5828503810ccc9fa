# A return address that was changed on the stack is not returned to: it is signed.
mode debug   arch aarch64   boot "selftest=return"   within 60s
expect /KERNEL PANIC: (pointer authentication|instruction abort) in the kernel/
expect /kernel_main\+0x/
expect /KERNEL PANIC: end of report/
reject /\[stage\] user: ok/
exit poweroff
