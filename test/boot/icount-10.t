# The same with a clock that is four times slower.
arch x86_64   qemu "-icount shift=10"   within 90s
stages
