# Entered at EL2: the kernel drops to EL1 by itself.
arch aarch64   machine "virtualization=on"   within 90s
stages
