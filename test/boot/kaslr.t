# The kernel runs where the machine's random numbers say, and says where only when it dies. Pads for indirect branches,
# tables and the backtrace's names hold wherever that is.
mode debug   boot "selftest=panic"   qemu "-seed 1"   within 60s
expect /KERNEL PANIC: asked for by selftest=panic/
expect /selftest_report\+0x/
expect /x86_boot\+0x|boot_main\+0x/
expect /the kernel runs 0x([1-9a-f][0-9a-f]*)00000 above where it is linked/
exit poweroff
reject /runs where it is linked: /
again "-seed 1" same   again "-seed 2" other
