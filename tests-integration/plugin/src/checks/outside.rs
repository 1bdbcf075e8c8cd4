//! What comes from outside: standard input and signals.

use std::io::Read as _;

use crate::host::*;

pub fn both_can_be_opened() {
    let stdin = opened(stdin_open());
    let signals = opened(signals_open());
    assert_eq!(signals_open(), EBUSY);
    // SIGKILL, SIGSEGV, SIGFPE, SIGSTOP, SIGTSTP, what glibc uses, none.
    for signal in [9, 11, 8, 19, 20, 32, 33, 64, 65, 0, -1] {
        assert_eq!(signals_add(signals, signal), EINVAL, "{signal}");
    }
    assert_eq!(signals_take(signals), 0);
    assert_eq!((close(stdin), close(signals)), (0, 0));
    let signals = opened(signals_open());
    assert_eq!(close(signals), 0);
}

/// Prints each line that comes, then `end`.
pub fn stdin() {
    let epoll = opened(epoll_create());
    let stdin = opened(stdin_open());
    assert_eq!(epoll_add(epoll, stdin, IN, 7), 0);
    assert_eq!(events(epoll, 0), []);
    println!("ready");
    loop {
        let told = events(epoll, -1);
        assert_eq!(told[0].data, 7);
        let mut buffer = [0; 64];
        let count = std::io::stdin().read(&mut buffer).expect("it is readable");
        if count == 0 {
            break;
        }
        print!("{}", String::from_utf8_lossy(&buffer[..count]));
        // It cannot be read until there is no more, since that would wait. So ask again.
        assert_eq!(epoll_modify(epoll, stdin, IN, 7), 0);
    }
    println!("end");
    // Closed, it is no longer told of, although the file stays open.
    assert_eq!(close(stdin), 0);
    let stdin = opened(stdin_open());
    assert_eq!(epoll_add(epoll, stdin, IN, 8), 0);
    let told: Vec<u64> = events(epoll, -1).iter().map(|event| event.data).collect();
    assert_eq!(told, [8]);
}

/// Prints the number of each signal that comes; SIGTERM is the last.
pub fn signals() {
    let epoll = opened(epoll_create());
    let signals = opened(signals_open());
    for signal in [1, 2, 10, 12, 15] {
        assert_eq!(signals_add(signals, signal), 0);
    }
    assert_eq!(signals_add(signals, 15), 0, "a second time");
    assert_eq!(epoll_add(epoll, signals, IN, 7), 0);
    println!("ready");
    loop {
        assert_eq!(events(epoll, -1)[0].data, 7);
        let came = signals_take(signals);
        assert!(came >= 0, "error {came}");
        for signal in 0..63 {
            if came >> signal & 1 == 1 {
                println!("signal {signal}");
            }
        }
        if came >> 15 & 1 == 1 {
            break;
        }
    }
    // From here on they do what they did before.
    assert_eq!(close(signals), 0);
    println!("closed");
    let event = opened(event_create());
    assert_eq!(epoll_add(epoll, event, IN, 0), 0);
    events(epoll, -1);
}
