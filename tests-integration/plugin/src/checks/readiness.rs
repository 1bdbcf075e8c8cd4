use std::time::Instant;

use super::sockets::connection;
use crate::host::*;

const MS: i64 = 1_000_000;
/// Longer than any machine needs.
const LONG: i64 = 30_000 * MS;
const ALL: u32 = IN | OUT | PRI | RDHUP;

pub fn edges() {
    let (client, server) = connection(INET);
    let epoll = opened(epoll_create());
    let data = 0xfedc_ba98_7654_3210;
    assert_eq!(epoll_add(epoll, server, ALL, data), 0);
    let told = events(epoll, LONG);
    let out = Event {
        data,
        events: OUT,
        zero: 0,
    };
    assert_eq!(told, [out]);
    // Told once.
    assert_eq!(events(epoll, 0), []);
    assert_eq!(send(client, at(b"a"), 1, 0), 1);
    let told = events(epoll, LONG);
    assert_eq!(told[0].events, IN | OUT);
    // Nothing was read, and nothing new came.
    assert_eq!(events(epoll, 0), []);
    assert_eq!(send(client, at(b"b"), 1, 0), 1);
    assert_eq!(events(epoll, LONG).len(), 1);
    // Changed: what is there is told again, with the new data.
    assert_eq!(epoll_modify(epoll, server, IN, 9), 0);
    assert_eq!(
        events(epoll, LONG),
        [Event {
            data: 9,
            events: IN,
            zero: 0
        }]
    );
    // Removed, nothing is told.
    assert_eq!(epoll_remove(epoll, server), 0);
    assert_eq!(epoll_remove(epoll, server), -2, "ENOENT");
    assert_eq!(send(client, at(b"c"), 1, 0), 1);
    assert_eq!(events(epoll, 0), []);
    // Two of them: one each.
    let other = opened(epoll_create());
    assert_eq!(epoll_add(epoll, server, IN, 1), 0);
    assert_eq!(epoll_add(other, server, IN, 2), 0);
    assert_eq!(events(epoll, LONG)[0].data, 1);
    assert_eq!(events(other, LONG)[0].data, 2);
    // Closed, it is gone.
    assert_eq!(close(server), 0);
    assert_eq!(events(epoll, 0), []);
    assert_eq!((close(client), close(epoll), close(other)), (0, 0, 0));
}

pub fn half_closed() {
    let (client, server) = connection(INET);
    let epoll = opened(epoll_create());
    assert_eq!(epoll_add(epoll, server, ALL, 1), 0);
    assert_eq!(events(epoll, LONG)[0].events, OUT);
    assert_eq!(shutdown(client, 1), 0);
    let told = events(epoll, LONG)[0].events;
    assert_eq!(told, IN | OUT | RDHUP);
    assert_eq!(shutdown(server, 1), 0);
    let told = events(epoll, LONG)[0].events;
    assert_eq!(told, IN | OUT | RDHUP | HUP);
    assert_eq!((close(client), close(server), close(epoll)), (0, 0, 0));
}

pub fn errors_and_urgent_data() {
    let (client, server) = connection(INET);
    let epoll = opened(epoll_create());
    assert_eq!(epoll_add(epoll, server, ALL, 1), 0);
    assert_eq!(events(epoll, LONG).len(), 1);
    assert_eq!(send(client, at(b"!"), 1, 1), 1, "MSG_OOB");
    let told = events(epoll, LONG)[0].events;
    assert_eq!(told & PRI, PRI);
    // With zero linger the connection is reset.
    assert_eq!(set_option(client, 1, 13, at(&[1u32, 0]), 8), 0);
    assert_eq!(close(client), 0);
    let told = events(epoll, LONG)[0].events;
    assert_eq!(told & (IN | ERR | HUP | RDHUP), IN | ERR | HUP | RDHUP);
    let mut error = 0i32;
    assert_eq!(get_option(server, 1, 4, at_mut(&mut error), 4), 4);
    assert_eq!(error, 104, "ECONNRESET");
    assert_eq!((close(server), close(epoll)), (0, 0));
}

pub fn time_outs() {
    let epoll = opened(epoll_create());
    let started = Instant::now();
    assert_eq!(events(epoll, 20 * MS), []);
    assert!(started.elapsed().as_millis() >= 20);
    // Less than a millisecond is not none.
    let started = Instant::now();
    for _ in 0..20 {
        assert_eq!(events(epoll, 300_000), []);
    }
    assert!(started.elapsed().as_micros() >= 6000);
    let started = Instant::now();
    assert_eq!(poll(0, 0, 20 * MS), 0);
    assert!(started.elapsed().as_millis() >= 20);
    assert_eq!(close(epoll), 0);
}

pub fn counters() {
    let epoll = opened(epoll_create());
    let event = opened(event_create());
    assert_eq!(epoll_add(epoll, event, IN, 5), 0);
    assert_eq!(events(epoll, 0), []);
    assert_eq!((event_signal(event), event_signal(event)), (0, 0));
    assert_eq!(events(epoll, LONG)[0].data, 5);
    assert_eq!(event_take(event), 2);
    assert_eq!(event_take(event), 0);
    assert_eq!(event_signal(event), 0);
    assert_eq!(events(epoll, LONG).len(), 1);
    // Without a look at the counter it is told again each time.
    assert_eq!(event_signal(event), 0);
    assert_eq!(events(epoll, LONG).len(), 1);
    assert_eq!((close(event), close(epoll)), (0, 0));
}

pub fn poll_list() {
    let (client, server) = connection(INET);
    let event = opened(event_create());
    let entry = |number: u32, events: u32| [number, events];
    let mut list = [entry(server, IN), entry(event, IN), entry(client, OUT)];
    assert_eq!(poll(at_mut(&mut list), 3, LONG), 1);
    assert_eq!(list.map(|entry| entry[1] >> 16), [0, 0, OUT]);
    assert_eq!(send(client, at(b"a"), 1, 0), 1);
    let mut list = [entry(server, IN), entry(0x8fff_ffff, IN)];
    assert_eq!(poll(at_mut(&mut list), 2, -1), 2);
    assert_eq!(list.map(|entry| entry[1] >> 16), [IN, 0x20]);
    assert_eq!((close(client), close(server), close(event)), (0, 0, 0));
}
