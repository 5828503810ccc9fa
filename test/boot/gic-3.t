# The newer interrupt controller.
arch aarch64   gic 3   harts 2   within 90s
stages
