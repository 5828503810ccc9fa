// SPDX-License-Identifier: MIT
//! Programs without a C library.

/// The first instruction of a program without `std` and without the C library: `entry!(main)` with `fn main() -> u32`, whose
/// result is the exit status. Link with `-C link-arg=-nostartfiles -C panic=abort`. A panic ends the Task with status 101, its
/// words go to the console if the Bundle has one.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn _start() -> ! {
            // The kernel starts a Task with its stack aligned as before a call.
            #[cfg(target_arch = "x86_64")]
            ::core::arch::naked_asm!("xor ebp, ebp", "call {run}", "ud2", run = sym run);
            #[cfg(target_arch = "aarch64")]
            ::core::arch::naked_asm!("mov x29, xzr", "mov x30, xzr", "bl {run}", "brk #0", run = sym run);
        }

        extern "C" fn run() -> ! {
            let main: fn() -> u32 = $main;
            $crate::task::exit(main())
        }

        #[panic_handler]
        fn panicked(info: &::core::panic::PanicInfo<'_>) -> ! {
            $crate::panicked(info)
        }
    };
}

/// What [`entry!`] does with a panic.
#[doc(hidden)]
pub fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    struct Out(crate::Console);
    impl core::fmt::Write for Out {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0.write(text.as_bytes()).map(|_| ()).map_err(|_| core::fmt::Error)
        }
    }
    if let Some(console) = crate::Bundle::own().take("console") {
        let _ = core::fmt::Write::write_fmt(&mut Out(console), format_args!("{info}\n"));
    }
    crate::task::exit(101)
}
