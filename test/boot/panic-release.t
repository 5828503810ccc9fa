# When the first Task ends with an error, the kernel says so and how it came there: also a release kernel.
boot "init=/sbin/fatfsd"   within 60s
expect /KERNEL PANIC: the first Task ended \(status [0-9]+, cause [0-9]+\)/
expect /backtrace:/
expect /machine_stop\+0x/
expect /KERNEL PANIC: end of report/
reject /\[stage\] user: ok/
exit poweroff
