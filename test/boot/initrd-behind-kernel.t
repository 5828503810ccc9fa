# The initial RAM disk in the memory that follows the kernel.
arch aarch64   mem 512M   initrd 0x40400000   within 90s
stages
