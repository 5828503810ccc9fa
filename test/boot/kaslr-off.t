# Asked to stay where it is linked, it does, and says so.
mode debug   boot "kaslr=off selftest=panic"   within 60s
expect /kernel: runs where it is linked: kaslr=off, or nothing random to choose by/
expect /KERNEL PANIC: asked for by selftest=panic/
expect /the kernel runs 0x0 above where it is linked/
exit poweroff
