# The initial RAM disk in the first pages of the memory, below the kernel.
arch aarch64   mem 512M   initrd 0x40100000   within 90s
stages
