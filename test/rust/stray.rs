// SPDX-License-Identifier: MIT
//! A program that takes VectraOS for Linux and asks its kernel itself, for its thread's id. The linker must refuse it; with
//! `--cfg unguarded` it hides where the guard allows it, and the kernel must refuse the number.

#[inline(never)]
#[cfg_attr(unguarded, link_section = ".text.vectra_enter")]
fn stray_call() -> i64 {
    let answer: i64;
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("syscall", inlateout("rax") 186_u64 => answer, out("rcx") _, out("r11") _)
    };
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!("svc #0", in("x8") 178_u64, lateout("x0") answer)
    };
    answer
}

fn main() {
    println!("{}", stray_call());
}
