//! The machine's name.

#[test]
fn gethostname_is_what_the_kernel_says() {
    let file = match cfg!(target_os = "wasi") {
        true => "/etc/hostname",
        false => "/proc/sys/kernel/hostname",
    };
    let said = std::fs::read_to_string(file).unwrap();
    assert_eq!(gethostname::gethostname(), said.trim());
}
