# A fault of the kernel's own: here a write to its constants, which must fault. The report has the registers.
mode debug   boot "selftest=trap"   within 60s
expect /KERNEL PANIC: .* in the kernel, address 0xffffffff[89ab]/
expect /(rsp|sp) +[0-9a-f]{16}/
expect /selftest_report\+0x/
expect /KERNEL PANIC: end of report/
reject /\[stage\] user: ok/
exit poweroff
