# Devices that nobody drives yet must not disturb.
qemu "-device virtio-rng-pci -device virtio-serial-pci"   within 90s
stages
