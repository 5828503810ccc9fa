# Without AVX the vector registers are saved in fewer bytes.
arch x86_64   qemu "-cpu max,-avx,-avx2,-fma,-f16c"   within 90s
stages
