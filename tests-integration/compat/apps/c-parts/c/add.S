/* add_one(int) -> int */
#if defined(__wasm__)
        .text
        .globl add_one
        .type add_one,@function
add_one:
        .functype add_one (i32) -> (i32)
        local.get 0
        i32.const 1
        i32.add
        end_function
#elif defined(__x86_64__)
        .text
        .globl add_one
        .type add_one,@function
add_one:
        leal 1(%rdi), %eax
        ret
        .section .note.GNU-stack,"",@progbits
#elif defined(__aarch64__)
        .text
        .globl add_one
add_one:
        add w0, w0, #1
        ret
#endif
