# A plain ARMv8.0 core that is entered at EL2.
arch aarch64   qemu "-cpu cortex-a72"   machine "virtualization=on"   within 90s
stages
