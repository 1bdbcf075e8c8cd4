//! What tokio does, natively and under WasmEdge.

mod blocking;
mod coalescing;
mod dns;
mod errors;
mod fs;
mod half_close;
mod io;
mod ipv6;
mod many_connections;
mod memory;
mod mio_events;
mod options;
mod runtime;
mod signal_and_process;
mod socket2_options;
mod stdio;
mod sync_and_task;
mod tcp_listener;
mod tcp_socket;
mod tcp_stream;
mod time;
mod udp;
mod vectored;
mod waiting;
mod wake_ups;
mod worker_threads;
