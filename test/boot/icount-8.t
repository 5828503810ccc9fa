# A slow instruction clock: a tick of the firmware's timer waits in the 8259 when the kernel takes over.
arch x86_64   qemu "-icount shift=8"   within 90s
stages
