# A processor without XSAVE: one message that names it, then power off.
arch x86_64   qemu "-cpu qemu64"   within 30s
expect /VectraOS cannot start: this processor has no XSAVE/
reject /\[stage\] boot: ok/
exit poweroff
