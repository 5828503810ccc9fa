# An old processor: no SMEP, no SMAP, no UMIP, no INVPCID, no random numbers, no TSC deadline.
arch x86_64   qemu "-cpu SandyBridge,-tsc-deadline"   within 90s
expect /kernel: runs where it is linked: kaslr=off, or nothing random to choose by/
stages
