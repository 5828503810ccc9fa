# A plain ARMv8.0 core: no LSE atomics, no PAN, no random numbers.
arch aarch64   qemu "-cpu cortex-a57"   within 90s
stages
