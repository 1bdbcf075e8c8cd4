//! What every function has to do.

mod data;
mod misuse;
mod options;
pub mod outside;
mod readiness;
mod sockets;
mod unix;

/// Everything that needs no other program.
pub fn all(may_unix: bool) {
    let version = crate::host::version();
    assert_eq!(version & 0xffff, 1, "the interface's number");
    assert_eq!(version >> 16 & 1 == 1, may_unix);
    let checks: &[(&str, fn())] = &[
        ("connections over IPv4", sockets::connections_v4),
        ("connections over IPv6", sockets::connections_v6),
        ("blocking mode", sockets::blocking_mode),
        ("numbers", sockets::numbers),
        ("streams", data::streams),
        ("datagrams", data::datagrams),
        ("disconnecting", data::disconnecting),
        ("random numbers", data::random_numbers),
        ("memory that grew", data::memory_that_grew),
        ("options", options::options),
        ("multicast", options::multicast),
        ("edges", readiness::edges),
        ("half-closed peers", readiness::half_closed),
        ("errors and urgent data", readiness::errors_and_urgent_data),
        ("time-outs", readiness::time_outs),
        ("counters", readiness::counters),
        ("poll", readiness::poll_list),
        ("wrong numbers", misuse::wrong_numbers),
        ("wrong kinds", misuse::wrong_kinds),
        ("wrong addresses", misuse::wrong_addresses),
        ("wrong arguments", misuse::wrong_arguments),
        ("pairs", unix::pairs),
    ];
    for (name, check) in checks {
        println!("{name}");
        check();
    }
    if may_unix {
        unix::allowed();
    } else {
        unix::refused();
    }
    outside::both_can_be_opened();
}
