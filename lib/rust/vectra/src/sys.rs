// SPDX-License-Identifier: MIT
//! The way into the kernel: one function, in a section of its own, by which the guard at the linker knows it
//! (tools/vectra/rust/guard.py). Arguments come as C passes them; the number is the last one.
use crate::abi::Error;

/// Both result registers.
#[repr(C)]
pub struct Registers {
    value: u64,
    second: u64,
}

impl Registers {
    /// Errors are -1 to -63; every other value is a result.
    #[inline]
    pub fn checked(self) -> Result<(u64, u64), Error> {
        if self.value < -63_i64 as u64 {
            return Ok((self.value, self.second));
        }
        // An error that this crate does not know is of a newer kernel than its tables.
        Err(Error::from_number(self.value as i32).unwrap_or(Error::NotSupported))
    }
}

/// x86-64: the number in rax, arguments in rdi rsi rdx r10 r8, results in rax and rdx, rcx and r11 lost.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.vectra_enter")]
unsafe extern "C" fn vectra_enter(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, number: u64) -> Registers {
    core::arch::naked_asm!("mov rax, r9", "mov r10, rcx", "syscall", "ret")
}

/// AArch64: the number in x8, arguments in x0 to x4, results in x0 and x1.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.vectra_enter")]
unsafe extern "C" fn vectra_enter(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, number: u64) -> Registers {
    core::arch::naked_asm!("mov x8, x5", "svc #0", "ret")
}

/// Enters the kernel.
///
/// # Safety
/// As the call of that number says.
#[inline]
pub unsafe fn enter(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, number: u64) -> Registers {
    unsafe { vectra_enter(a0, a1, a2, a3, a4, number) }
}
