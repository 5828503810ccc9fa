// SPDX-License-Identifier: MIT
//! A program that takes VectraOS for Linux and asks its kernel itself. The linker must refuse it.

#[inline(never)]
fn stray_call() -> u64 {
    let answer: u64;
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("syscall", inlateout("rax") 39_u64 => answer, out("rcx") _, out("r11") _)
    };
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!("svc #0", in("x8") 172_u64, lateout("x0") answer)
    };
    answer
}

fn main() {
    println!("{}", stray_call());
}
