use super::*;
use crate::coalesce::last_writer::LastWriter;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A socket of the kernel.
#[derive(Default)]
struct Kernel {
    /// What the peer gets, and how much the kernel will still take.
    sent: Vec<u8>,
    room: usize,
    shut: bool,
    not_connected: bool,
    error: Option<Errno>,
    hard: bool,
    kept: Vec<Errno>,
    calls: usize,
}

#[derive(Default)]
struct Model(BTreeMap<i32, Kernel>);

impl Model {
    fn with(fds: &[i32]) -> Model {
        let open = |&fd| {
            (
                fd,
                Kernel {
                    room: 1 << 20,
                    ..Kernel::default()
                },
            )
        };
        Model(fds.iter().map(open).collect())
    }

    fn at(&mut self, fd: i32) -> &mut Kernel {
        self.0.get_mut(&fd).expect("a socket that is open")
    }

    fn sent(&self, fd: i32) -> &[u8] {
        &self.0[&fd].sent
    }
}

impl SendSink for Model {
    fn send(&mut self, fd: i32, head: &[u8], bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let Some(kernel) = self.0.get_mut(&fd) else {
            return Err(Errno::BADF);
        };
        kernel.calls += 1;
        assert!(!head.is_empty() || !bufs.is_empty());
        if let Some(errno) = kernel.error {
            return Err(errno);
        }
        if kernel.shut {
            return Err(Errno::PIPE);
        }
        let mut all = head.to_vec();
        for buf in bufs {
            all.extend_from_slice(buf);
        }
        all.truncate(kernel.room);
        if all.is_empty() {
            return Err(Errno::AGAIN);
        }
        kernel.room -= all.len();
        kernel.sent.extend_from_slice(&all);
        Ok(all.len())
    }

    fn shut(&mut self, fd: i32) {
        self.at(fd).shut = true;
    }

    fn is_connected(&mut self, fd: i32) -> bool {
        self.0.get(&fd).is_some_and(|kernel| !kernel.not_connected)
    }

    fn is_open(&mut self, fd: i32) -> bool {
        self.0.contains_key(&fd)
    }

    fn closes_hard(&mut self, fd: i32) -> bool {
        self.at(fd).hard
    }

    fn keep(&mut self, fd: i32, errno: Errno) {
        self.at(fd).kept.push(errno);
    }
}

type Owner = Rc<()>;

fn coalescer(fds: &[i32]) -> (Coalescer<Owner>, Model) {
    let (mut coalescer, mut model) = (Coalescer::new(), Model::with(fds));
    for &fd in fds {
        coalescer.set_nodelay(&mut model, fd, true);
    }
    (coalescer, model)
}

/// As the layer above does it: what is not held is sent by itself.
fn write(
    coalescer: &mut Coalescer<Owner>,
    model: &mut Model,
    fd: i32,
    data: &[u8],
    within: bool,
) -> Result<usize, Errno> {
    let bufs = [IoSlice::new(data)];
    let origin = match within {
        true => Origin::Selector,
        false => Origin::Outside,
    };
    match coalescer.write(model, fd, &bufs, origin) {
        Some(result) => result,
        None if data.is_empty() => Ok(0),
        None => model.send(fd, &[], &bufs),
    }
}

#[test]
fn writes_of_a_tick_are_one_call() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    for part in [&b"one "[..], b"two ", b"three"] {
        assert_eq!(
            write(&mut coalescer, &mut model, 7, part, true),
            Ok(part.len())
        );
    }
    assert_eq!(model.at(7).calls, 0);
    coalescer.flush(&mut model);
    assert_eq!(model.sent(7), b"one two three");
    assert_eq!(model.at(7).calls, 1);
    coalescer.flush(&mut model);
    assert_eq!(model.at(7).calls, 1);
}

#[test]
fn who_writes_once_in_each_tick_soon_sends_at_once() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    let mut calls = 0;
    for tick in 0..10 {
        assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
        let at_once = model.at(7).calls > calls;
        assert_eq!(
            at_once,
            tick >= usize::from(SINGLE_WRITES),
            "in tick {tick}"
        );
        coalescer.flush(&mut model);
        calls = model.at(7).calls;
    }
    // It begins again with the second write of a tick.
    assert_eq!(write(&mut coalescer, &mut model, 7, b"b", true), Ok(1));
    assert_eq!(write(&mut coalescer, &mut model, 7, b"c", true), Ok(1));
    assert_eq!(model.at(7).calls, calls + 1);
    coalescer.flush(&mut model);
    assert_eq!(model.at(7).calls, calls + 2);
    assert_eq!(write(&mut coalescer, &mut model, 7, b"d", true), Ok(1));
    assert_eq!(write(&mut coalescer, &mut model, 7, b"e", true), Ok(1));
    coalescer.flush(&mut model);
    assert_eq!(model.at(7).calls, calls + 3);
    assert_eq!(model.sent(7), b"aaaaaaaaaabcde");
}

#[test]
fn without_no_delay_or_outside_a_selector_writes_go_out_at_once() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    model.0.insert(
        8,
        Kernel {
            room: 100,
            ..Kernel::default()
        },
    );
    assert_eq!(write(&mut coalescer, &mut model, 8, b"a", true), Ok(1));
    assert_eq!(model.sent(8), b"a");
    assert_eq!(write(&mut coalescer, &mut model, 7, b"a", false), Ok(1));
    assert_eq!(model.sent(7), b"a");
    // In order, and in one call.
    assert_eq!(write(&mut coalescer, &mut model, 7, b"b", true), Ok(1));
    assert_eq!(write(&mut coalescer, &mut model, 7, b"c", false), Ok(1));
    assert_eq!(model.sent(7), b"abc");
    assert_eq!(model.at(7).calls, 2);
}

#[test]
fn without_no_delay_what_follows_in_a_tick_is_held() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    coalescer.set_nodelay(&mut model, 7, false);
    // What the layer above knows to be the second write of a tick.
    let again = |coalescer: &mut Coalescer<Owner>, model: &mut Model, data: &[u8]| {
        coalescer.write(model, 7, &[IoSlice::new(data)], Origin::SelectorAgain)
    };
    for tick in 1..=6 {
        let calls = model.at(7).calls;
        assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
        assert_eq!(model.at(7).calls, calls + 1);
        assert_eq!(again(&mut coalescer, &mut model, b""), None);
        assert_eq!(again(&mut coalescer, &mut model, b"bc"), Some(Ok(2)));
        // Others may have written meanwhile.
        assert_eq!(write(&mut coalescer, &mut model, 7, b"d", true), Ok(1));
        assert_eq!(model.at(7).calls, calls + 1);
        coalescer.flush(&mut model);
        assert_eq!(model.at(7).calls, calls + 2);
        assert_eq!(model.sent(7), b"abcd".repeat(tick));
        assert!(coalescer.sockets.is_empty());
    }
    let large = vec![b'x'; MAX_HELD_BYTES + 1];
    assert_eq!(again(&mut coalescer, &mut model, &large), None);
    assert!(coalescer.sockets.is_empty());
}

#[test]
fn a_socket_without_a_peer_does_not_coalesce() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    model.at(7).not_connected = true;
    model.at(7).error = Some(Errno::NOTCONN);
    assert_eq!(
        write(&mut coalescer, &mut model, 7, b"a", true),
        Err(Errno::NOTCONN)
    );
}

#[test]
fn no_delay_that_is_taken_back_sends() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
    coalescer.set_nodelay(&mut model, 7, false);
    assert_eq!(model.sent(7), b"a");
    assert!(coalescer.sockets.is_empty());
}

#[test]
fn what_is_above_the_limit_goes_out_with_what_is_held() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    let large = vec![b'x'; MAX_HELD_BYTES];
    assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
    assert_eq!(
        write(&mut coalescer, &mut model, 7, &large, true),
        Ok(MAX_HELD_BYTES)
    );
    assert_eq!(model.sent(7).len(), MAX_HELD_BYTES + 1);
    assert_eq!(model.at(7).calls, 1);
    // With nothing held it is sent by itself.
    let larger = vec![b'x'; MAX_HELD_BYTES + 1];
    assert_eq!(
        write(&mut coalescer, &mut model, 7, &larger, true),
        Ok(MAX_HELD_BYTES + 1)
    );
    assert_eq!(model.at(7).calls, 2);
    assert!(coalescer.holding.is_empty());
}

#[test]
fn the_first_of_many_is_sent() {
    let fds: Vec<i32> = (0..2 * MAX_HELD_SOCKETS as i32).collect();
    let (mut coalescer, mut model) = coalescer(&fds);
    for &fd in &fds {
        assert_eq!(write(&mut coalescer, &mut model, fd, b"a", true), Ok(1));
    }
    assert_eq!(coalescer.holding, fds[MAX_HELD_SOCKETS..]);
    assert_eq!(model.sent(0), b"a");
    assert!(coalescer.spare.len() <= MAX_HELD_SOCKETS + 1);
}

#[test]
fn a_backlog_stays_in_order_and_holds_writers_back() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    model.at(7).room = 3;
    assert_eq!(write(&mut coalescer, &mut model, 7, b"abcde", true), Ok(5));
    coalescer.flush(&mut model);
    assert_eq!(model.sent(7), b"abc");
    assert_eq!(
        write(&mut coalescer, &mut model, 7, b"fg", true),
        Err(Errno::AGAIN)
    );
    let mut backlogs = Vec::new();
    coalescer.backlogs(&mut backlogs);
    let backlog = |is_fresh| Backlog {
        fd: 7,
        is_orphan: false,
        is_fresh,
    };
    assert_eq!(backlogs, [backlog(true)]);
    backlogs.clear();
    coalescer.backlogs(&mut backlogs);
    assert_eq!(backlogs, [backlog(false)]);

    model.at(7).room = 1;
    assert_eq!(coalescer.send_backlog(&mut model, 7), Sent::Part);
    assert_eq!(coalescer.send_backlog(&mut model, 7), Sent::Nothing);
    // Whoever comes when there is room takes the backlog along.
    model.at(7).room = 2;
    assert_eq!(write(&mut coalescer, &mut model, 7, b"fg", true), Ok(1));
    assert_eq!(model.sent(7), b"abcdef");
    assert!(coalescer.backlogs.is_empty());
}

#[test]
fn an_error_is_kept_once_and_ends_coalescing() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
    model.at(7).error = Some(Errno::CONNRESET);
    coalescer.flush(&mut model);
    assert_eq!(model.at(7).kept, [Errno::CONNRESET]);
    model.at(7).error = Some(Errno::PIPE);
    model.at(7).not_connected = true;
    assert_eq!(
        write(&mut coalescer, &mut model, 7, b"b", true),
        Err(Errno::PIPE)
    );
    assert_eq!(model.at(7).kept.len(), 1);
}

#[test]
fn a_stream_does_not_go_on_with_a_hole() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
    model.at(7).error = Some(Errno::NOBUFS);
    coalescer.flush(&mut model);
    assert_eq!(model.at(7).kept, [Errno::NOBUFS]);
    model.at(7).error = None;
    assert_eq!(
        write(&mut coalescer, &mut model, 7, b"b", true),
        Err(Errno::PIPE)
    );
    assert_eq!(model.sent(7), b"");
}

#[test]
fn a_shutdown_comes_after_the_backlog() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    model.at(7).room = 1;
    assert_eq!(write(&mut coalescer, &mut model, 7, b"abc", true), Ok(3));
    assert!(coalescer.shut(&mut model, 7));
    assert_eq!(
        write(&mut coalescer, &mut model, 7, b"d", true),
        Err(Errno::PIPE)
    );
    assert!(!model.at(7).shut);
    model.at(7).room = 10;
    assert_eq!(coalescer.send_backlog(&mut model, 7), Sent::All);
    assert!(model.at(7).shut);
    assert_eq!(model.sent(7), b"abc");
    assert_eq!(
        write(&mut coalescer, &mut model, 7, b"d", true),
        Err(Errno::PIPE)
    );
}

#[test]
fn a_closed_socket_is_kept_until_its_backlog_is_out() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    let owner = Owner::default();
    assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
    // Nothing is left: it is closed at once.
    assert!(coalescer.close(&mut model, 7, owner.clone()).is_some());
    assert_eq!(model.sent(7), b"a");

    for is_adopted in [false, true] {
        coalescer.set_nodelay(&mut model, 7, true);
        model.at(7).room = 0;
        assert_eq!(write(&mut coalescer, &mut model, 7, b"bc", true), Ok(2));
        assert!(coalescer.close(&mut model, 7, owner.clone()).is_none());
        if is_adopted {
            coalescer.set_adopted(7, true);
        }
        model.at(7).room = 10;
        assert_eq!(coalescer.send_backlog(&mut model, 7), Sent::All);
        assert_eq!(Rc::strong_count(&owner), 1 + usize::from(is_adopted));
        coalescer.set_adopted(7, false);
        assert_eq!(Rc::strong_count(&owner), 1);
        assert!(coalescer.sockets.is_empty() && coalescer.backlogs.is_empty());
    }
    assert_eq!(model.sent(7), b"abcbc");
}

#[test]
fn a_closed_socket_that_lingers_for_no_time_is_closed_at_once() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    model.at(7).room = 0;
    model.at(7).hard = true;
    assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
    assert!(coalescer.close(&mut model, 7, Owner::default()).is_some());
    assert!(coalescer.sockets.is_empty() && coalescer.backlogs.is_empty());
}

#[test]
fn closed_sockets_are_not_kept_without_limit() {
    let fds: Vec<i32> = (0..2 * MAX_ORPHANS as i32).collect();
    let (mut coalescer, mut model) = coalescer(&fds);
    let owner = Owner::default();
    for &fd in &fds {
        model.at(fd).room = 0;
        assert_eq!(write(&mut coalescer, &mut model, fd, b"a", true), Ok(1));
        drop(coalescer.close(&mut model, fd, owner.clone()));
    }
    assert!(Rc::strong_count(&owner) <= MAX_ORPHANS + 2);
}

#[test]
fn a_new_socket_with_the_number_of_one_that_is_gone_starts_afresh() {
    let (mut coalescer, mut model) = coalescer(&[7]);
    assert_eq!(write(&mut coalescer, &mut model, 7, b"a", true), Ok(1));
    coalescer.forget(7);
    coalescer.flush(&mut model);
    assert_eq!(model.sent(7), b"");
    assert!(!coalescer.nodelay(7));
}

#[test]
fn descriptors_that_others_close_do_not_add_up() {
    let mut coalescer = Coalescer::<Owner>::new();
    let mut model = Model::default();
    for fd in 0..10_000 {
        coalescer.set_nodelay(&mut model, fd, true);
    }
    assert!(coalescer.sockets.len() <= SWEEP_AT_LEAST);
}

#[derive(Clone, Debug)]
enum Step {
    Write { fd: i32, len: usize, within: bool },
    Flush,
    Room { fd: i32, bytes: usize },
    SendBacklog { fd: i32 },
    SetNodelay { fd: i32, on: bool },
    Shut { fd: i32 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fd = 0..7i32;
    let len = prop_oneof![4 => 0..200usize, 1 => 0..MAX_HELD_BYTES + 100];
    let bytes = prop_oneof![2 => 0..300usize, 1 => 0..2 * MAX_HELD_BYTES];
    let step = prop_oneof![
        8 => (fd.clone(), len, prop::bool::weighted(0.8))
            .prop_map(|(fd, len, within)| Step::Write { fd, len, within }),
        3 => Just(Step::Flush),
        4 => (fd.clone(), bytes).prop_map(|(fd, bytes)| Step::Room { fd, bytes }),
        2 => fd.clone().prop_map(|fd| Step::SendBacklog { fd }),
        1 => (fd.clone(), any::<bool>()).prop_map(|(fd, on)| Step::SetNodelay { fd, on }),
        1 => prop::option::weighted(0.1, fd).prop_map(|fd| match fd {
            Some(fd) => Step::Shut { fd },
            None => Step::Flush,
        }),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_out_of_order(steps in steps()) {
        let fds: Vec<i32> = (0..7).collect();
        let (mut coalescer, mut model) = coalescer(&fds);
        let mut taken = vec![Vec::new(); fds.len()];
        let mut next = 0u8;
        let last_writer = LastWriter::new();
        for &fd in &fds {
            model.at(fd).room = 2000;
        }
        for step in steps {
            match step {
                Step::Write { fd, len, within } => {
                    let data: Vec<u8> = (0..len)
                        .map(|_| {
                            next = next.wrapping_mul(5).wrapping_add(17);
                            next
                        })
                        .collect();
                    let bufs = [IoSlice::new(&data)];
                    let mut write = || {
                        let origin = last_writer.origin(fd);
                        match coalescer.write(&mut model, fd, &bufs, origin) {
                            Some(result) => result,
                            None if len == 0 => Ok(0),
                            None => {
                                let result = model.send(fd, &[], &bufs);
                                if result == Ok(len) {
                                    last_writer.wrote(fd);
                                }
                                result
                            }
                        }
                    };
                    let result = if within { last_writer.within(fd, write) } else { write() };
                    if let Ok(n) = result {
                        prop_assert!(n > 0 || len == 0);
                        taken[fd as usize].extend_from_slice(&data[..n]);
                    }
                    // All that was taken, and nothing else.
                    let held = coalescer.sockets.get(&fd).map_or(&[][..], Socket::left);
                    prop_assert!(held.len() <= MAX_HELD_BYTES);
                    let all = model.sent(fd).len() + held.len();
                    prop_assert_eq!(all, taken[fd as usize].len());
                    prop_assert!(taken[fd as usize].ends_with(held));
                    prop_assert!(coalescer.holding.len() <= MAX_HELD_SOCKETS);
                }
                Step::Flush => {
                    last_writer.end();
                    coalescer.flush(&mut model);
                    prop_assert!(coalescer.holding.is_empty());
                }
                Step::Room { fd, bytes } => model.at(fd).room += bytes,
                Step::SendBacklog { fd } => {
                    coalescer.send_backlog(&mut model, fd);
                }
                // Asked after it was shut, a socket tells of it one call late.
                Step::SetNodelay { fd, .. } if model.at(fd).shut => {}
                Step::SetNodelay { fd, on } => coalescer.set_nodelay(&mut model, fd, on),
                Step::Shut { fd } => {
                    last_writer.follows_nothing(fd);
                    if !coalescer.shut(&mut model, fd) {
                        model.shut(fd);
                    }
                }
            }
        }
        coalescer.flush(&mut model);
        for &fd in &fds {
            model.at(fd).room = 1 << 20;
            prop_assert_eq!(coalescer.send_backlog(&mut model, fd), Sent::All);
            prop_assert_eq!(model.sent(fd), &taken[fd as usize][..]);
            prop_assert!(model.0[&fd].kept.is_empty());
        }
        prop_assert!(coalescer.backlogs.is_empty());
    }
}
