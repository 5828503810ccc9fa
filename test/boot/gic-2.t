# The older interrupt controller.
arch aarch64   gic 2   harts 2   within 90s
stages
