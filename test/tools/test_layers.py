# SPDX-License-Identifier: MIT
"""The layer checker: what the rules forbid is found, what they allow is not."""

import unittest

from vectra import layers

TREE = ["abi/status.h", "base/addr.h", "kernel/cap.h", "kernel/cap.c", "kernel/entry.h", "kernel/irqchip.h",
        "kernel/arch/include/arch/mmu.h", "kernel/arch/aarch64/include/isa/mmu.h", "kernel/arch/aarch64/trap.c",
        "kernel/arch/x86_64/include/isa/mmu.h", "kernel/arch/host/host.c", "kernel/plat/virt/serial.c",
        "kernel/plat/common/fifo.h", "kernel/firmware/machine.h", "kernel/firmware/dt/fdt.c", "kernel/firmware/dt/fdt.h",
        "kernel/arch/x86_64/include/isa/plat.h", "kernel/arch/aarch64/include/isa/plat.h", "kernel/arch/stub/stub.c",
        "kernel/plat/q35/power.c", "lib/arch/x86_64/isa/entry.h", "lib/arch/aarch64/isa/entry.h",
        "lib/include/vectra/ring.h", "lib/libvectra/ring.c", "srv/initd/main.c",
        "srv/initd/graph.h", "srv/topod/pci.h", "test/guest/common/check.h", "test/guest/caps/main.c"]


def found(path, text):
    """The rules that a text in `path` breaks."""
    return [rule for _, rule, _ in layers.violations(path, text, set(TREE), {"trace_names.h"})]


class LayersTest(unittest.TestCase):
    """The table of the style guide."""

    def test_allowed(self):
        """Downwards, to oneself, and to what a compiler alone has."""
        for path, name in (("base/addr.h", "<abi/status.h>"), ("kernel/cap.c", '"cap.h"'), ("kernel/cap.c", "<arch/mmu.h>"),
                           ("kernel/cap.c", "<kernel/entry.h>"), ("kernel/cap.c", "<trace_names.h>"),
                           ("kernel/arch/aarch64/trap.c", "<kernel/entry.h>"), ("kernel/plat/virt/serial.c", "<kernel/firmware/machine.h>"),
                           ("kernel/firmware/dt/fdt.c", "<base/addr.h>"), ("kernel/arch/aarch64/trap.c", "<isa/mmu.h>"),
                           ("kernel/arch/include/arch/mmu.h", "<isa/mmu.h>"), ("kernel/arch/host/host.c", "<stdio.h>"),
                           ("kernel/plat/virt/serial.c", "<kernel/irqchip.h>"),
                           ("kernel/plat/virt/serial.c", "<kernel/plat/common/fifo.h>"),
                           ("lib/libvectra/ring.c", "<vectra/ring.h>"), ("srv/initd/main.c", '"graph.h"'),
                           ("srv/initd/main.c", "<vectra/ring.h>"), ("test/guest/caps/main.c", "<test/guest/common/check.h>"),
                           ("kernel/plat/virt/serial.c", "<isa/plat.h>"), ("kernel/plat/q35/power.c", "<isa/plat.h>"),
                           ("kernel/plat/virt/serial.c", "<kernel/entry.h>"),
                           ("kernel/arch/aarch64/trap.c", "<kernel/firmware/dt/fdt.h>"),
                           ("kernel/arch/stub/stub.c", "<kernel/irqchip.h>"), ("lib/libvectra/ring.c", "<isa/entry.h>"),
                           ("kernel/cap.c", "<stdckdint.h>")):
            self.assertEqual(found(path, f"#include {name}\n"), [], (path, name))

    def test_forbidden(self):
        """Upwards, sideways, and what is nowhere."""
        for path, name in (("abi/status.h", "<base/addr.h>"), ("base/addr.h", "<kernel/cap.h>"),
                           ("kernel/cap.c", "<kernel/arch/aarch64/include/isa/mmu.h>"), ("kernel/cap.c", "<isa/mmu.h>"),
                           ("kernel/cap.c", "<vectra/ring.h>"), ("kernel/firmware/dt/fdt.c", "<kernel/cap.h>"), ("kernel/arch/aarch64/trap.c", "<kernel/cap.h>"),
                           ("kernel/arch/aarch64/trap.c", "<kernel/arch/x86_64/include/isa/mmu.h>"),
                           ("kernel/plat/virt/serial.c", "<kernel/cap.h>"), ("kernel/cap.c", "<isa/entry.h>"),
                           ("kernel/plat/virt/serial.c", "<isa/mmu.h>"), ("kernel/cap.c", "<isa/plat.h>"),
                           ("kernel/plat/q35/power.c", "<kernel/arch/aarch64/include/isa/plat.h>"),
                           ("kernel/arch/aarch64/trap.c", "<kernel/irqchip.h>"),
                           ("kernel/firmware/dt/fdt.c", "<arch/mmu.h>"), ("lib/libvectra/ring.c", "<kernel/cap.h>"),
                           ("srv/initd/main.c", "<srv/topod/pci.h>"), ("srv/initd/main.c", "<kernel/cap.h>"),
                           ("kernel/cap.c", "<stdio.h>"), ("kernel/cap.c", '"stdint.h"'), ("base/addr.h", "<nowhere.h>")):
            self.assertEqual(found(path, f"#include {name}\n"), ["include"], (path, name))

    def test_cpu_names(self):
        """In #if everywhere but arch and plat; in names in the portable kernel; never in comments."""
        self.assertEqual(found("lib/libvectra/ring.c", "#if defined(__x86_64__)\n#endif\n"), ["cpu-if"])
        self.assertEqual(found("kernel/cap.c", "#ifdef \\\n  __aarch64__\n#endif\n"), ["cpu-if"])
        self.assertEqual(found("kernel/arch/aarch64/trap.c", "#ifdef __aarch64__\n#endif\n"), [])
        self.assertEqual(found("kernel/cap.c", "int x86_cr3;\n"), ["name"])
        self.assertEqual(found("kernel/cap.c", "/* on x86_64 */ // aarch64\nconst char *s = \"arm64\";\n"), [])

    def test_assembly(self):
        """Not in portable code."""
        self.assertEqual(found("kernel/cap.c", 'void f(void) { __asm__("nop"); }\n'), ["asm"])
        self.assertEqual(found("kernel/arch/aarch64/trap.c", 'void f(void) { __asm__("nop"); }\n'), [])

    def test_commented_includes_do_not_count(self):
        """Nor do those in strings."""
        self.assertEqual(found("kernel/cap.c", "/*\n#include <stdio.h>\n*/\n// #include <stdio.h>\n"), [])

    def test_exceptions_only_fall(self):
        """More than listed is a message, fewer too."""
        def run(exceptions):
            return layers.check(TREE, lambda p: "#include <stdio.h>\n" * 2 if p == "kernel/cap.c" else "", set(), exceptions)
        self.assertEqual(len(run({})), 2)
        self.assertEqual(run({("kernel/cap.c", "include"): 2}), [])
        self.assertEqual(len(run({("kernel/cap.c", "include"): 1})), 2)
        self.assertIn("lower the count", run({("kernel/cap.c", "include"): 3})[0])


if __name__ == "__main__":
    unittest.main()
